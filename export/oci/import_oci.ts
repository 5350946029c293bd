/**
 * config.json as a recipe: the way back of exportOci(), by the tables of the runtime.
 *
 * @module
 */

import { checkLinux, configSteps } from "../../oci/config/recipe.ts";
import { kindIssue } from "../../oci/config/kinds.ts";
import { withoutNulls } from "../../oci/config/nulls.ts";
import { programOf } from "../../oci/config/process.ts";
import { parseConfig } from "../../oci/config/text.ts";
import { OciError } from "../../oci/errors.ts";
import type { Config } from "../../oci/spec.ts";
import { checkedSteps } from "../../recipe/check.ts";
import { RecipeError } from "../../recipe/errors.ts";
import { normalize } from "../../recipe/path.ts";
import { quoted } from "../../recipe/shown.ts";
import { limits } from "../../recipe/steps/limits.ts";
import { clearEnv, setEnv } from "../../recipe/steps/process.ts";
import { chdir } from "../../recipe/steps/root.ts";
import type { Step } from "../../recipe/steps.ts";
import { isEmpty, limitsOf } from "./resources.ts";
import { leaveOutIssue, UNSAID } from "./unsaid.ts";

/** The options of {@linkcode importOci}. */
export interface ImportOptions {
  /** The directory of config.json, which its relative paths begin at; it begins with `/`. */
  readonly bundle: string;
  /** Fields that no step says, and that are left out: `["hooks", "linux.resources.devices"]`. */
  readonly leaveOut?: readonly string[];
}

/** A recipe from a config.json, with its program. */
export interface ImportedRecipe {
  /** The steps of the recipe. */
  readonly steps: readonly Step[];
  /** The program and its arguments. */
  readonly program: readonly string[];
  /** Whether the program gets a terminal. */
  readonly terminal: boolean;
}

/**
 * Returns the recipe of a config.json. It makes no call; of this machine it looks at links in the
 * directory of the root, as far as it may read them.
 *
 * @throws {RecipeError} for fields that no step says, unless they are left out, and for ones that
 * Ramekin's runtime does not do
 * @throws {SyntaxError} if the text is not JSON
 * @throws {TypeError} for a name in `leaveOut` that is none of these fields
 *
 * @example
 * ```ts
 * import { clearEnv, mapRoot, recipe, root, unshare } from "@ramekin/ramekin";
 * import { exportOci, importOci } from "@ramekin/ramekin/export";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe(unshare("user", "mount", "pid"), mapRoot(), root("/srv/debian"), clearEnv());
 * const { config, files } = exportOci(box, { program: ["/bin/id"] });
 * const imported = importOci(files[0]!.text!, { bundle: "/srv/bundle" });
 * assertEquals(imported.program, ["/bin/id"]);
 * assertEquals(exportOci(imported, { program: ["/bin/id"] }).config, config);
 * ```
 */
export function importOci(text: string, options: ImportOptions): ImportedRecipe {
  const { bundle, leaveOut = [] } = options;
  if (!bundle.startsWith("/")) throw new TypeError(`the bundle ${bundle} should begin with /`);
  for (const name of leaveOut) {
    const issue = leaveOutIssue(name);
    if (issue !== undefined) throw new TypeError(`leaveOut: ${quoted(name)} ${issue}`);
  }
  const config = withoutNulls(parseConfig(text));
  const odd = kindIssue(config);
  if (odd !== undefined) throw new RecipeError(odd);
  const issues: string[] = [];
  const refuse = (path: string, why: string) => {
    const isLeftOut = leaveOut.some((name) =>
      path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`)
    );
    if (!isLeftOut) issues.push(`${path}: ${why}`);
  };
  refuseUnsaid(config, refuse);
  const known = limitsOf(config.linux?.resources ?? {}, refuse);
  const [first, ...others] = issues;
  if (first !== undefined) throw new RecipeError(first, { advice: others });
  try {
    const { process = {} } = config;
    checkLinux({ ...config, hooks: {} });
    const { program, args, environment, cwd } = programOf(process);
    const { steps, last } = configSteps(said(config), rootOf(config, bundle), {
      bundle,
      hierarchies: [],
      groups: [],
      mayMakeDevices: true,
      mayMount: false,
      addresses: () => [],
      // An ordinary user maps the own ids alone.
      mayChangeGroups: (config.linux?.uidMappings?.[0]?.hostID ?? 0) === 0,
    });
    return {
      steps: checkedSteps([
        ...steps,
        ...(isEmpty(known) ? [] : [limits(known)]),
        ...last,
        clearEnv(),
        ...(environment.size === 0 ? [] : [setEnv(Object.fromEntries(environment))]),
        ...(cwd === "/" ? [] : [chdir(cwd)]),
      ]),
      program: [program, ...args],
      terminal: process.terminal === true,
    };
  } catch (error) {
    throw error instanceof OciError ? new RecipeError(error.message) : error;
  }
}

/** What the tables are given: without mounts of control groups, which are refused or left out. */
function said(config: Config): Config {
  return { ...config, mounts: config.mounts?.filter(({ type }) => type !== "cgroup") ?? [] };
}

function rootOf({ root }: Config, bundle: string): string {
  if (!root?.path) throw new OciError("root.path: there is none");
  const path = normalize(root.path.startsWith("/") ? root.path : `${bundle}/${root.path}`);
  if (path === "/") throw new OciError("root.path: the root of a machine cannot be a container's");
  return path;
}

/** Refuses the fields that no step says. */
function refuseUnsaid(config: Config, refuse: (path: string, why: string) => void): void {
  for (const [path, valueIn] of Object.entries(UNSAID)) {
    if (!isEmpty(valueIn(config))) refuse(path, "no step says it");
  }
  config.mounts?.forEach(({ type, options }, index) => {
    if (type === "cgroup") {
      refuse(`mounts[${index}]`, "which control groups there are is known where the recipe runs");
    }
    if (options?.includes("tmpcopyup")) {
      refuse(`mounts[${index}]`, "tmpcopyup depends on the files that are there");
    }
  });
}
