/**
 * A recipe as a bundle for OCI runtimes.
 *
 * @module
 */

import { configText } from "../../oci/config/text.ts";
import { checkedSteps } from "../../recipe/check.ts";
import type { Step } from "../../recipe/steps.ts";
import { Refusals } from "../refusals.ts";
import { type Caller, plannedRoot } from "../container_draft.ts";
import { type BundleFile, ConfigDraft } from "./draft.ts";
import { sayStep } from "./steps.ts";

/** The options of {@linkcode exportOci}. */
export interface OciOptions {
  /** The program and its arguments. */
  readonly program: readonly [string, ...string[]];
  /**
   * Who will run the container: root, or an ordinary user by the ids on the machine, whom `mapRoot()`
   * and `mapCurrentUser()` map.
   *
   * @default {"root"}
   */
  readonly for?: "root" | Caller;
  /**
   * Where the bundle will be, which begins with `/`. It is needed for `hosts` of a `root()`, as runtimes
   * look for files of a bundle by their whole path.
   */
  readonly bundle?: string;
  /**
   * Whether the program gets a terminal.
   *
   * @default {false}
   */
  readonly terminal?: boolean;
}

/** A bundle: config.json, and what lies beside it. */
export interface OciBundle {
  /** What config.json says. */
  readonly config: Readonly<Record<string, unknown>>;
  /**
   * The files of the bundle, parents first: config.json, and the directory of the root where that is
   * not one of the machine.
   */
  readonly files: readonly BundleFile[];
}

/**
 * Returns a recipe as a bundle, which crun, runc and other OCI runtimes run. It makes no call, and
 * asks this machine nothing.
 *
 * @throws {RecipeError} for steps that config.json cannot say, each by its number and with the
 * reason, or if the recipe lacks what every container of an engine has
 * @throws {TypeError} if there is no program
 *
 * @example
 * ```ts
 * import { clearEnv, mapRoot, recipe, root, setEnv, unshare } from "@ramekin/ramekin";
 * import { exportOci } from "@ramekin/ramekin/export";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe(
 *   unshare("user", "mount", "pid"),
 *   mapRoot(),
 *   root("/srv/debian", { readOnly: true }),
 *   clearEnv(),
 *   setEnv({ PATH: "/usr/bin:/bin" }),
 * );
 * const { config } = exportOci(box, { program: ["id"], for: { uid: 1000, gid: 1000 } });
 * assertEquals(config.root, { path: "/srv/debian", readonly: true });
 * ```
 */
export function exportOci(
  recipe: { readonly steps: readonly Step[] },
  options: OciOptions,
): OciBundle {
  const { program, for: runner = "root", terminal = false } = options;
  if (!Array.isArray(program) || program.length === 0 || program[0] === "") {
    throw new TypeError("a bundle needs a program: exportOci(recipe, { program: [...] })");
  }
  const steps = checkedSteps(recipe.steps);
  const refusals = new Refusals();
  const caller = runner === "root" ? { uid: 0, gid: 0 } : runner;
  const draft = new ConfigDraft(caller, refusals, options.bundle);
  draft.root = plannedRoot(steps);
  steps.forEach((step, at) => {
    draft.begin(step, at);
    sayStep(step, draft);
  });
  draft.finish();
  if (!program[0].includes("/") && draft.environment?.has("PATH") === false) {
    refusals.recipe(`runtimes find ${program[0]} by the container's PATH: setEnv({ PATH: ... })`);
  }
  refusals.throwAny();
  const config = draft.config(program, terminal);
  const text: BundleFile = {
    path: "config.json",
    type: "file",
    text: configText(config),
    mode: 0o644,
  };
  return { config: { ...config }, files: [text, ...draft.bundleFiles()] };
}
