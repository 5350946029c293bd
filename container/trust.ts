/**
 * What to believe of processes that look like scripts, or like markers: any program can map a file
 * with that name.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { landlockVersion } from "../ffi/calls/landlock.ts";
import { namespaceIoctl, NS_GET_OWNER_UID, NS_GET_PARENT } from "../ffi/calls/namespaces.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { ifThere } from "../ffi/missing.ts";
import { HIDDEN_PROCESS } from "../ffi/proc/proc_dir.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/**
 * Whether a process is this user's, outside of all containers, and no more restricted than this
 * one. One that is could do by itself whatever it has others do.
 */
export function isOwn(pid: number): boolean {
  return ifThere(() => {
    const [its, own] = [statusOf(pid), statusOf("self")];
    return !mayBeUnderLandlock(pid, its) && numberIn(its, "Uid") === numberIn(own, "Uid") &&
      otherNamespaces(pid, ["user", "pid"]).length === 0 &&
      RESTRICTIONS.every((name) => numberIn(its, name) <= numberIn(own, name)) &&
      (boundingSet(own) & ~boundingSet(its)) === 0n;
  }, HIDDEN_PROCESS) ?? false;
}

/**
 * Whether another process may be restricted by Landlock as this one is not, which nothing tells. An
 * ordinary user's has no_new_privs then, which is told of one whose reader does not have it.
 */
function mayBeUnderLandlock(pid: number, status: string): boolean {
  return pid !== Deno.pid && numberIn(status, "NoNewPrivs") === 1 &&
    ifThere(() => syscall(landlockVersion()), ["ENOSYS", "EOPNOTSUPP"]) !== undefined;
}

/**
 * Whether a process can have made another: as the same user, as root, or as the maker of the user
 * namespace around it. A marker of another user's could say that it marks a process of root.
 */
export function canHaveMade(maker: number, pid: number): boolean {
  return ifThere(() => {
    const uid = numberIn(statusOf(maker), "Uid");
    return uid === 0 || uid === numberIn(statusOf(pid), "Uid") ||
      (otherNamespaces(pid, ["user"]).length > 0 && namespaceMakers(pid).includes(uid));
  }, HIDDEN_PROCESS) ?? false;
}

/** Fields of /proc/PID/status that grow as a process is restricted. See proc_pid_status(5). */
const RESTRICTIONS = ["NoNewPrivs", "Seccomp", "Seccomp_filters"];

/** The users that have made the user namespace of a process and those around it, within this one. */
function namespaceMakers(pid: number): number[] {
  const uids: number[] = [];
  const flags = O_RDONLY | O_CLOEXEC;
  let fd: number | undefined = syscall(openat(at_fdcwd, `/proc/${pid}/ns/user`, flags));
  while (fd !== undefined) {
    const namespace: number = fd;
    const uid = new Output(4, "&uid");
    const owner = namespaceIoctl(namespace, NS_GET_OWNER_UID, uid);
    uids.push(syscalls([{ call: owner }]).output(uid).getUint32(0, true));
    // EPERM: the parent is around this process's own namespace, so that this is that.
    fd = ifThere(() => syscall(namespaceIoctl(namespace, NS_GET_PARENT)), ["EPERM"]);
    syscall(close(namespace));
  }
  return uids.slice(0, -1);
}

function statusOf(pid: number | "self"): string {
  return readWholeText(at_fdcwd, `/proc/${pid}/status`);
}

/** The first number of a line, 0 where the kernel has none. */
function numberIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

function boundingSet(status: string): bigint {
  return BigInt(`0x${/^CapBnd:\s*(\w+)/m.exec(status)?.[1] ?? "0"}`);
}
