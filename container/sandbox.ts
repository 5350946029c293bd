/**
 * A container for an untrusted program: every protection at once.
 *
 * @module
 */

import { type SandboxOptions, sandboxSteps } from "../recipe/sandbox.ts";
import { type Recipe, recipe } from "./recipe.ts";

export type { SandboxOptions };

/**
 * Makes a recipe for an untrusted program. The program runs as the same user, in namespaces of its
 * own, on a root of its own that cannot be changed: with the programs and libraries of the host
 * (/usr, /bin, /lib ...) and what `read` and `write` name, a minimal /dev, and an empty /tmp and
 * /run, which end with it. /proc shows only its own processes, and nothing of the machine that can
 * be changed.
 *
 * It has no capabilities and can gain none, cannot make user namespaces, and can make only the
 * system calls that ordinary programs make (`seccomp()`). Its environment is PATH, HOME, and what
 * `env` names; it has no controlling terminal; and it is killed when the script ends.
 *
 * It is a recipe like others: `sandbox().steps` lists the steps, and `.with(...)` adds to them.
 *
 * @example
 * ```ts
 * import { sandbox } from "@ramekin/ramekin";
 *
 * const box = sandbox({ read: ["/etc/os-release"] });
 * const { stdout } = await box.command("sh", { args: ["-c", "ls /; cat /proc/net/dev"] }).output();
 * console.log(new TextDecoder().decode(stdout));
 * ```
 *
 * @throws {RecipeError} where an option is unknown, or a path does not begin with `/`
 */
export function sandbox(options: SandboxOptions = {}): Recipe {
  return recipe(...sandboxSteps(options));
}
