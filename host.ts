/**
 * Reads the namespaces, mounts, control groups and running containers of this machine, and the users
 * of a root. It needs `--allow-ffi` alone, and changes nothing.
 *
 * @example The running containers of all scripts of this user
 * ```ts
 * import { runningContainers } from "@ramekin/ramekin/host";
 *
 * for (const { pid, name, command } of runningContainers()) console.log(pid, name, command);
 * ```
 *
 * @module
 */

import { environmentStrings, stringAt } from "./ffi/environment.ts";
import { environmentOf } from "./host/join_target.ts";

export { findUser, type UserEntry } from "./host/accounts.ts";
export { type Controller, hierarchies, type Hierarchy } from "./ffi/cgroups/hierarchies.ts";
export { landlockVersion } from "./ffi/linux/landlock.ts";
export { type MountEntry, type MountPropagation, mountsOf } from "./ffi/proc/mountinfo.ts";
export {
  listNamespaces,
  type NamespaceEntry,
  type NamespaceProcess,
  type NamespaceType,
} from "./host/namespace_list.ts";
export { pidsIn } from "./ffi/proc/process_ids.ts";
export { type RunningContainer, runningContainers } from "./container/registry.ts";
export { NAMESPACE_KINDS, type NamespaceKind } from "./recipe/namespaces.ts";

/**
 * Returns the environment of this process, or the initial environment of another process.
 *
 * @throws {SyscallError} `ENOENT` if there is no such process, `EACCES` if it is another user's
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { environment } from "@ramekin/ramekin/host";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeof environment()["PATH"], "string");
 * ```
 */
export function environment(pid?: number): Record<string, string> {
  if (pid !== undefined) return environmentOf(pid);
  return Object.fromEntries(
    environmentStrings().map(stringAt).flatMap((string) => {
      const at = string.indexOf("=");
      return at > 0 ? [[string.slice(0, at), string.slice(at + 1)]] : [];
    }),
  );
}
