/**
 * What the errors of calls mean that several steps make, and what to do about them.
 *
 * @module
 */

import type { Fixes } from "../ffi/fix.ts";
import type { Host } from "../host/host.ts";

/** A filesystem that can only be read. */
export const READ_ONLY = "the filesystem can only be read there";

/** What keeps ordinary users from what they may do elsewhere. */
export const FILTERED = "a seccomp filter or security module around this process forbids it " +
  "(docker run --security-opt seccomp=unconfined ...)";

/** What takes a user namespace of the container's own. */
export const PRIVILEGE =
  'this takes CAP_SYS_ADMIN; as an ordinary user, put "user" among the namespaces: ' +
  'unshare("user", ...), mapRoot()';

/** A control group that a process may not enter (cgroups(7), delegation). */
export const CGROUP_DENIED =
  "this user may not bring processes into this cgroup: it, or one that both the old and the new " +
  "lie in, is another user's";

/** A directory on the way that may not be searched (path_resolution(7)). */
export function unsearchable(path: string): string {
  return `a directory on the way to ${path} may not be searched by this user (chmod +x), so no ` +
    "program of this user's reaches it either; leave the path out";
}

/** A filesystem that is full. */
export function filesystemFull(path: string): string {
  return `the filesystem of ${path} is full; give its tmpfs more { size }, or where there are too ` +
    'many files, { options: "nr_inodes=..." }';
}

/** AppArmor's restriction of user namespaces, where this machine has it. */
export function appArmor(host: Host): string | undefined {
  return host.setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === 1
    ? "AppArmor lets ordinary users do nothing in their user namespaces here: an AppArmor profile " +
      'for deno with "userns," allows it, or ' +
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    : undefined;
}

/** Why a call that takes CAP_SYS_ADMIN is denied. */
export function needsPrivilege(inUserNamespace: boolean): string {
  return inUserNamespace
    ? "the user namespace has no right to this, or a seccomp filter around this process forbids it"
    : PRIVILEGE;
}

/** What calls of mounts are denied for. */
export function mountFixes(host: Host, inUserNamespace: boolean): Fixes {
  return {
    EPERM: () => appArmor(host) ?? needsPrivilege(inUserNamespace),
    EACCES: () => appArmor(host),
  };
}
