/**
 * A recipe as a service of systemd.
 *
 * @module
 */

import { buildBox } from "../../box/mod.ts";
import { checkedSteps } from "../../recipe/check.ts";
import { RecipeError } from "../../recipe/errors.ts";
import type { Step } from "../../recipe/steps.ts";
import { Refusals } from "../refusals.ts";
import type { Directive } from "../limit_directives.ts";
import { partOf } from "./directives.ts";

/** The options of {@linkcode exportSystemd}. */
export interface SystemdOptions {
  /** The program and its arguments. */
  readonly program: readonly [string, ...string[]];
  /** Where the box will be, which the unit runs: `"/usr/local/lib/kitchen"`. */
  readonly box: string;
  /**
   * What the service is called in lists.
   *
   * @default {the name of the box}
   */
  readonly description?: string;
  /**
   * When systemd starts it again, as `Restart=` has it.
   *
   * @default {"no"}
   */
  readonly restart?: SystemdRestart;
  /** The user who runs the box, as `User=` has it; else root, or whose manager it is. */
  readonly user?: string;
  /**
   * The processor of the machine.
   *
   * @default {the one of this machine}
   */
  readonly architecture?: "x86_64" | "aarch64";
  /**
   * Who runs the box: `"root"` for what only root may do. See `buildBox()`.
   *
   * @default {"user"}
   */
  readonly for?: "root" | "user";
}

/** When systemd starts a service again, by the words of `Restart=` (systemd.service(5)). */
export type SystemdRestart =
  | "no"
  | "on-success"
  | "on-failure"
  | "on-abnormal"
  | "on-watchdog"
  | "on-abort"
  | "always";

/** All of these words. */
export const RESTARTS: readonly SystemdRestart[] = [
  "no",
  "on-success",
  "on-failure",
  "on-abnormal",
  "on-watchdog",
  "on-abort",
  "always",
];

/** A service: the text of its unit, and the box that the unit runs. */
export interface SystemdService {
  /** The unit, for a file such as `kitchen.service`. */
  readonly unit: string;
  /** The executable, for the path in the unit; it needs the mode 0755. */
  readonly box: Uint8Array<ArrayBuffer>;
}

/**
 * Returns a recipe as a service of systemd. `limits()` become directives of the unit, which hold for
 * the service as a whole; all other steps are in a box that the unit runs, so that the machine needs
 * nothing but systemd. It makes no call, and asks this machine nothing.
 *
 * @throws {RecipeError} for a step that neither a unit nor a box can say
 * @throws {TypeError} if an option is invalid
 *
 * @example
 * ```ts
 * import { hostname, limits, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 * import { exportSystemd } from "@ramekin/ramekin/export";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const kitchen = recipe(
 *   unshare("user", "uts"),
 *   mapRoot(),
 *   hostname("kitchen"),
 *   limits({ memory: "256m", cpus: 1.5 }),
 * );
 * const { unit } = exportSystemd(kitchen, {
 *   program: ["uname", "-n"],
 *   box: "/usr/local/lib/kitchen",
 *   restart: "on-failure",
 * });
 * assertStringIncludes(unit, "MemoryMax=268435456\nCPUQuota=150%\n");
 * ```
 */
export function exportSystemd(
  recipe: { readonly steps: readonly Step[] },
  options: SystemdOptions,
): SystemdService {
  const { program, box: path, restart = "no", user, architecture, for: runner = "user" } = options;
  const { description = path.slice(path.lastIndexOf("/") + 1) } = options;
  checkOptions({ ...options, description, restart });
  const steps = checkedSteps(recipe.steps);
  const refusals = new Refusals();
  const directives: Directive[] = [];
  const boxed: { readonly step: Step; readonly at: number }[] = [];
  steps.forEach((step, at) => {
    const part = partOf(step);
    if (part.refused !== undefined) refusals.step(step, at, part.refused);
    directives.push(...part.directives ?? []);
    if (part.inBox) boxed.push({ step, at });
  });
  refusals.throwAny();
  return {
    unit: unitText(description, [
      ["Type", "exec"],
      ["ExecStart", quoted(path)],
      ...(user === undefined ? [] : [["User", user] as const]),
      ...(restart === "no" ? [] : [["Restart", restart] as const]),
      // The box passes SIGTERM on, and what is left in the control group is killed.
      ["KillMode", "mixed"],
      ...new Map(directives.map((line) => [line.join("="), line])).values(),
    ]),
    box: built(() =>
      buildBox({ steps: boxed.map(({ step }) => step) }, {
        program,
        for: runner,
        ...(architecture !== undefined && { architecture }),
      }), boxed),
  };
}

/** Builds the box; its errors name the steps by their numbers in the whole recipe. */
function built<T>(build: () => T, boxed: readonly { readonly at: number }[]): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof RecipeError) || error.stepIndex === undefined) throw error;
    const { issue, step, stepIndex, field, advice, cause } = error;
    const at = boxed[stepIndex]!.at;
    throw new RecipeError(issue, { step, stepIndex: at, field, advice, cause });
  }
}

function unitText(description: string, service: readonly Directive[]): string {
  return [
    "[Unit]",
    `Description=${description.replaceAll("%", "%%")}`,
    "",
    "[Service]",
    ...service.map(([name, value]) => `${name}=${value}`),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** A path as a word of ExecStart=, where % begins a specifier (systemd.unit(5)). */
function quoted(path: string): string {
  const word = path.replaceAll("%", "%%");
  return word.includes(" ") ? `"${word}"` : word;
}

function checkOptions(options: SystemdOptions & { description: string; restart: string }): void {
  const { program, box, description, restart, user } = options;
  const wrong = (name: string, issue: string) => {
    throw new TypeError(`exportSystemd(): the option "${name}" ${issue}`);
  };
  if (!Array.isArray(program) || !program[0]) wrong("program", "has at least a program's name");
  if (!/^\/[\w@%+=:,./ -]+$/.test(box)) {
    wrong("box", `should be a path from the root without special characters, not ${box}`);
  }
  // deno-lint-ignore no-control-regex -- a line of a unit ends with one
  if (/[\x00-\x1f\\]/.test(description)) wrong("description", "is a line without backslashes");
  if (!RESTARTS.some((known) => known === restart)) {
    wrong("restart", `is one of ${RESTARTS.join(", ")}`);
  }
  if (user !== undefined && !/^[\w.-]+$/.test(user)) wrong("user", "is a name or a number");
}
