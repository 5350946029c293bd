/**
 * Fixes for errors of calls that several steps make.
 *
 * @module
 */

import type { Fixes } from "../ffi/fix.ts";
import type { Host } from "../host/host.ts";

/** EROFS of a call that writes. */
export const READ_ONLY = "the filesystem is read-only";

/** EPERM of a call that needs no privilege. */
export const FILTERED = "a seccomp filter or security module around this process forbids it " +
  "(docker run --security-opt seccomp=unconfined ...)";

/** EAGAIN of a call that makes a process. */
export const PROCESS_LIMIT =
  "the limit of processes is reached: that of this user (ulimit -u), or of the cgroup";

/** EPERM of a call that needs CAP_SYS_ADMIN, outside of a user namespace. */
export const PRIVILEGE =
  'this takes CAP_SYS_ADMIN; as an ordinary user, put "user" among the namespaces: ' +
  'unshare("user", ...), mapRoot()';

/** EACCES of a write to cgroup.procs (cgroups(7), delegation). */
export const CGROUP_DENIED =
  "this user may not move processes into this cgroup: it, or the common ancestor of the old " +
  "and the new one, belongs to another user";

/** EACCES of a lookup (path_resolution(7)). */
export function unsearchable(path: string): string {
  return `this user may not search a directory on the way to ${path} (chmod +x), and neither may ` +
    "its programs; leave the path out";
}

/** ELOOP of a lookup of a box that follows no link (openat2(2), RESOLVE_NO_SYMLINKS). */
export function linkOnTheWay(path: string): string {
  return `a symbolic link is on the way to ${path}, and none is followed there; name the path that ` +
    "it leads to";
}

/** ENOSPC of a call that writes. */
export function filesystemFull(path: string): string {
  return `the filesystem of ${path} is full; give its tmpfs more { size }, or where there are too ` +
    'many files, { options: "nr_inodes=..." }';
}

/** What there is in the place of user namespaces. */
export const WITHOUT_THEM =
  "sandbox({ degrade: true }), --degrade, does without them: Landlock and seccomp hold files, " +
  "network and environment, while processes are seen, and /proc and /tmp are the host's";

/** Returns what to do about AppArmor's restriction of user namespaces, if the host has it. */
export function restrictedByAppArmor(host: Host): string | undefined {
  return host.setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === 1
    ? "AppArmor lets ordinary users do nothing in their user namespaces here: an AppArmor profile " +
      'for deno with "userns," allows it, or ' +
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    : undefined;
}

/** Returns the fix for AppArmor's restriction, if the host has it. */
export function appArmor(host: Host): string | undefined {
  const restriction = restrictedByAppArmor(host);
  return restriction && `${restriction}; ${WITHOUT_THEM}`;
}

/** Returns the fix for EPERM of a call that needs CAP_SYS_ADMIN. */
export function needsPrivilege(inUserNamespace: boolean): string {
  return inUserNamespace
    ? "the user namespace has no right to this, or a seccomp filter around this process forbids it"
    : PRIVILEGE;
}

/** Returns the fix for EPERM of a call that needs CAP_SYS_ADMIN, where AppArmor may deny it. */
export function deniedPrivilege(host: Host, inUserNamespace: boolean): string {
  return appArmor(host) ?? needsPrivilege(inUserNamespace);
}

const MOUNTS_DENIED = "a security module around this process denies mounts " +
  `(docker run --security-opt apparmor=unconfined ...); ${WITHOUT_THEM}`;

/** Returns the fixes for a call on mounts that is denied. */
export function mountFixes(host: Host, inUserNamespace: boolean): Fixes {
  return {
    EPERM: () => deniedPrivilege(host, inUserNamespace),
    EACCES: () => appArmor(host) ?? (inUserNamespace ? MOUNTS_DENIED : undefined),
  };
}
