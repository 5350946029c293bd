/**
 * Recipes for untrusted programs.
 *
 * @module
 */

import { liveHost } from "../host/live_host.ts";
import { type SandboxBind, type SandboxOptions, sandboxSteps } from "../recipe/sandbox.ts";
import { type Degradation, sandboxOn } from "./sandbox_on.ts";
import { Recipe, recipe } from "./recipe.ts";

export type { Degradation, SandboxBind, SandboxOptions };

/**
 * Makes a recipe for an untrusted program. The program runs as the same user, in namespaces of its
 * own, on a read-only root of its own. The root has the programs and libraries of the host (/usr,
 * /bin, /lib ...), the paths of `read` and `write`, a minimal /dev, and an empty /tmp and /run,
 * which end with the container. /proc shows only the container's processes, and its files that
 * change the machine are hidden or read-only.
 *
 * The program has no capabilities and cannot gain any, cannot create user namespaces, and can make
 * only the system calls that ordinary programs need (`seccomp()`): no set-user-ID files, and once it
 * is given files or the network, no unix sockets, unless an option lifts that. Its environment is
 * PATH, HOME, LANG, and the variables of `env`. It has no controlling terminal, and is killed when the
 * script ends.
 *
 * The result is an ordinary recipe: `sandbox().steps` lists the steps, and `.with(...)` adds to
 * them.
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
 * With `degrade` this machine is asked whether it lets this user make user namespaces: where it does
 * not, the sandbox is a weaker one, and `degraded` of the recipe says what that does not hold.
 *
 * @example Where user namespaces may be refused
 * ```ts
 * import { sandbox } from "@ramekin/ramekin";
 *
 * const box = sandbox({ degrade: true });
 * if (box.degraded !== undefined) console.error(box.degraded.refused, box.degraded.lacks);
 * console.log((await box.command("true").output()).success); // true
 * ```
 *
 * @throws {RecipeError} if an option is unknown, or a path does not start with `/`; when it is planned,
 * if a path is a filesystem of the kernel, or leads over a link in a directory of `write` that it
 * reaches by another name; with `degrade` where the weaker sandbox cannot hold an option
 * @throws {UnsupportedError} with `degrade` where there is no such Landlock either, with
 * `nest` as root
 * @throws {PermissionError} with `degrade` or `nest`, and without `--allow-ffi`
 */
export function sandbox(options: SandboxOptions = {}): Recipe {
  if (options.degrade !== true && options.nest !== true) return recipe(...sandboxSteps(options));
  const { steps, degraded } = sandboxOn(liveHost(), options);
  return new Recipe(steps, degraded);
}
