/**
 * The kinds of namespaces, by the names that unshare(1) has for them. See namespaces(7).
 *
 * @module
 */

import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "../ffi/calls/constants/namespaces.ts";

/**
 * A kind of namespace: `"user"`, `"mount"`, `"pid"`, `"uts"`, `"ipc"`, `"net"`, `"cgroup"` or
 * `"time"`.
 */
export type NamespaceKind =
  | "user"
  | "mount"
  | "pid"
  | "uts"
  | "ipc"
  | "net"
  | "cgroup"
  | "time";

/** The flag of clone(2), unshare(2) and setns(2) for each kind. */
export const CLONE_FLAG: Readonly<Record<NamespaceKind, number>> = {
  user: CLONE_NEWUSER,
  mount: CLONE_NEWNS,
  pid: CLONE_NEWPID,
  uts: CLONE_NEWUTS,
  ipc: CLONE_NEWIPC,
  net: CLONE_NEWNET,
  cgroup: CLONE_NEWCGROUP,
  time: CLONE_NEWTIME,
};

/** Each kind's name in /proc/PID/ns. */
export const NAMESPACE_FILE: Readonly<Record<NamespaceKind, string>> = {
  user: "user",
  mount: "mnt",
  pid: "pid",
  uts: "uts",
  ipc: "ipc",
  net: "net",
  cgroup: "cgroup",
  time: "time",
};

/**
 * Every kind of namespace.
 *
 * @example
 * ```ts
 * import { NAMESPACE_KINDS } from "@ramekin/ramekin/host";
 *
 * console.log(NAMESPACE_KINDS.join(" ")); // user mount pid uts ipc net cgroup time
 * ```
 */
export const NAMESPACE_KINDS: readonly NamespaceKind[] = Object.keys(
  CLONE_FLAG,
) as NamespaceKind[];

/** Returns the file in /proc/sys/user with the limit of how many namespaces of this kind exist. */
export function limitSetting(kind: NamespaceKind): string {
  return `max_${NAMESPACE_FILE[kind]}_namespaces`;
}
