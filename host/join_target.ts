/**
 * The process whose namespaces a recipe joins.
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { ppoll } from "../ffi/calls/processes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { withFixes } from "../ffi/fix.ts";
import { ifThere } from "../ffi/missing.ts";
import { type ProcessIdentity, processIdentity, statField } from "../ffi/proc/process_identity.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { syscall } from "../ffi/syscalls.ts";
import { NO_PROCESS, OTHERS_PROCESS, processDirectory } from "../ffi/proc/proc_dir.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import type { JoinQuestions, JoinTarget } from "./host.ts";
import { cgroupFilesOf } from "./process_cgroups.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";

/**
 * Returns the process with this pid, and with this start time if given.
 *
 * @throws {SyscallError} `ESRCH` if it has ended, even if another process has its pid now
 */
function targetOf(pid: number, started: number | undefined): ProcessIdentity {
  const found = ifThere(() => processIdentity(pid), ["ENOENT", "ESRCH"]);
  if (found !== undefined && (started ?? found.started) === found.started) return found;
  throw new SyscallError({
    syscall: "pidfd_open",
    errno: ERRNO.ESRCH,
    call: `pidfd_open(${pid}, 0)`,
    hint: found === undefined ? undefined : "another process has its pid now",
  });
}

/**
 * Returns what a plan needs of the process whose namespaces it joins.
 *
 * @throws {SyscallError} `ESRCH` if it has ended, `EACCES` if it is another user's
 * @throws {UnsupportedError} if its cgroups are requested, and cannot be reached
 */
export function joinTargetOf(
  requested: number,
  started: number | undefined,
  { environment, cgroup }: JoinQuestions,
): JoinTarget {
  return withFixes({ ESRCH: NO_PROCESS, EACCES: OTHERS_PROCESS }, () => {
    const identity = targetOf(requested, started);
    const { pid } = identity;
    return {
      identity,
      otherKinds: otherKinds(pid),
      setgroupsDenied: deniesSetgroups(pid),
      environment: environment ? environmentOf(pid) : {},
      cgroupFiles: cgroup ? cgroupFilesOf(pid) : [],
    };
  });
}

/** Returns the kinds of namespaces that the process does not share with the calling thread. */
function otherKinds(pid: number): NamespaceKind[] {
  return otherNamespaces(pid, NAMESPACE_KINDS);
}

/** Whether setgroups(2) is denied in the user namespace of the process. */
function deniesSetgroups(pid: number): boolean {
  return readWholeText(at_fdcwd, `${processDirectory(pid)}/setgroups`).startsWith("deny");
}

/** Returns the initial environment of the process. See proc_pid_environ(5). */
export function environmentOf(pid: number): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const string of environmentStrings(pid)) {
    const at = string.indexOf("=");
    if (at > 0) variables[string.slice(0, at)] = string.slice(at + 1);
  }
  return variables;
}

/** How often the environment is read while execve(2) is running, and the pause in milliseconds. */
const LOADING = { attempts: 200, pause: 5 };

/** Reads the environment, and repeats that while execve(2) is running, when it reads as empty. */
function environmentStrings(pid: number): string[] {
  for (let attempt = 0; attempt < LOADING.attempts; attempt++) {
    const environment = readWholeText(at_fdcwd, `${processDirectory(pid)}/environ`);
    if (environment !== "" || isLoaded(readWholeText(at_fdcwd, `${processDirectory(pid)}/stat`))) {
      return environment.split("\0");
    }
    syscall(ppoll([], LOADING.pause));
  }
  return [];
}

/** Whether the kernel has set the address of the environment, or the process has ended. */
function isLoaded(stat: string): boolean {
  const [end, state] = [statField(stat, 51), statField(stat, 3)];
  return end !== "0" || state === "Z" || state === "X";
}
