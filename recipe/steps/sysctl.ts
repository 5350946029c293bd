/**
 * The step `sysctl`: settings of the kernel for the container's own namespaces. See sysctl(8).
 *
 * @module
 */

import { dictionary, either, integer, type Schema, text } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Changes settings of the kernel for the container. */
export interface SysctlStep {
  /** The name of the step. */
  readonly step: "sysctl";
  /** The settings, by their names. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/**
 * Changes settings of the kernel that namespaces have for themselves, by their names as sysctl(8)
 * takes them: `net.*` of an own `"net"` namespace; `kernel.msg*`, `kernel.sem*`, `kernel.shm*` and
 * `fs.mqueue.*` of an own `"ipc"`; `kernel.hostname` and `kernel.domainname` of an own `"uts"`;
 * `user.*` of an own `"user"`. All others are the host's, and refused.
 *
 * Needs the namespace, by `unshare` before it. Some settings the kernel leaves to root of the host
 * all the same, such as `kernel.hostname`, for which there is `hostname`.
 *
 * They are written through /proc/sys as it is at this step. A dot within a name is written as `/`:
 * `net.ipv4.conf.eth0/1.forwarding`.
 *
 * @throws {RecipeError} when it is planned for a setting of the whole host, or without the
 * namespace that has it before it
 * @throws {SyscallError} when it is run: `ENOENT` where the kernel has no such setting there, or no
 * /proc is mounted, `EINVAL` for a value that it does not take, `EACCES` for a setting that it
 * leaves to root of the host alone, `EROFS` where /proc/sys can only be read
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, sysctl, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "net"), mapRoot(), sysctl({ "net.ipv4.ip_forward": 1 }));
 * const { stdout } = await box.command("cat", { args: ["/proc/sys/net/ipv4/ip_forward"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 1
 * ```
 */
export function sysctl(settings: Readonly<Record<string, string | number>>): SysctlStep {
  return { step: "sysctl", settings };
}

/** The path in /proc/sys: the first separator is the one that parts the name (sysctl.d(5)). */
export function pathOf(name: string): string {
  const swapped: Readonly<Record<string, string>> = { ".": "/", "/": "." };
  return /^[^./]*\//.test(name) ? name : name.replace(/[./]/g, (separator) => swapped[separator]!);
}

/** The name of a setting. */
function settingName(): Schema {
  const expected = "the name of a setting, such as net.ipv4.ip_forward";
  return text({
    expected,
    min: 1,
    max: 255,
    pattern: "^[^./]+([./][^./]+)+$",
    issue(name) {
      const parts = pathOf(name).split("/");
      return parts.length > 1 && parts.every((part) => !["", ".", ".."].includes(part))
        ? undefined
        : `is not ${expected}`;
    },
  });
}

/** What the data of `sysctl` may be. */
export const sysctlSchema: StepSchema<SysctlStep> = stepSchema(
  "sysctl",
  () => ({ settings: dictionary(settingName(), either(text(), integer(-(2 ** 53) + 1))) }),
);
