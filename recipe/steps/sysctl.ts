/**
 * The step `sysctl`: kernel settings of the container's own namespaces. See sysctl(8).
 *
 * @module
 */

import { dictionary, either, integer, type Schema, text } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Changes kernel settings of the container's namespaces. */
export interface SysctlStep {
  /** The name of the step. */
  readonly step: "sysctl";
  /** The settings, by their names. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/**
 * Changes kernel settings that belong to a namespace of the container's own, by their names as
 * sysctl(8) takes them: `net.*` of the `"net"` namespace; `kernel.msg*`, `kernel.sem*`,
 * `kernel.shm*` and `fs.mqueue.*` of the `"ipc"` namespace; `kernel.hostname` and
 * `kernel.domainname` of the `"uts"` namespace; `user.*` of the `"user"` namespace;
 * `kernel.ns_last_pid`, `kernel.pid_max` (Linux 6.14) and `vm.memfd_noexec` (Linux 6.3) of the
 * `"pid"` namespace. All others belong to the host, and are refused.
 *
 * Needs `unshare` with the namespace before it. The kernel lets only root of the host change some
 * of these settings, such as `kernel.hostname`, for which there is `hostname`.
 *
 * The settings are written to /proc/sys as it is at this step, and only where /proc is procfs and
 * nothing is mounted over the setting: the step stands before `readonlyPaths("/proc/sys")`. A dot
 * within a part of a name is written as `/`: `net.ipv4.conf.eth0/1.forwarding`.
 *
 * @throws {RecipeError} when it is planned for a setting of the whole host, or without the
 * namespace of the setting before it
 * @throws {SyscallError} when it is run: `ENOENT` where the kernel has no such setting, or there is
 * no /proc, `EINVAL` for a value that the kernel does not take, or where /proc is not procfs,
 * `EACCES` for a setting that only root of the host may change, `EROFS` where /proc is read-only,
 * `EXDEV` where something is mounted over the setting, as after `readonlyPaths("/proc/sys")`
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

/** Returns the path beneath /proc/sys; the first `.` or `/` is the separator (sysctl.d(5)). */
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
