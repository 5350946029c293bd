/**
 * A container for an untrusted program: every protection at once.
 *
 * @module
 */

import { type SandboxOptions, sandboxSteps } from "../recipe/sandbox.ts";
import { type Recipe, recipe } from "./recipe.ts";

export type { SandboxOptions };

/**
 * Makes a recipe for a program that nobody has to trust. It runs as the same user, in namespaces of
 * its own, on a root of its own that cannot be changed: with the programs and libraries of the host
 * (/usr, /bin, /lib ...) and what `read` and `write` name, a minimal /dev, and empty /tmp and /run
 * that are gone with it. /proc shows its own processes only, and nothing of the machine that is
 * there to be changed.
 *
 * It has no capabilities and can gain none, cannot make user namespaces, and makes the system calls
 * only that ordinary programs make (`seccomp()`). It gets no environment but PATH, HOME, and what
 * `env` names; no terminal of the script's to control; and it is killed when the script ends.
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
