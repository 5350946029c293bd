/**
 * The process whose namespaces a recipe joins.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import { AT_EMPTY_PATH, at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../ffi/calls/statx.ts";
import { namespaceIoctl, NS_GET_USERNS } from "../ffi/calls/namespaces.ts";
import { SIGNALS } from "../ffi/calls/processes.ts";
import { Label } from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { withFixes } from "../ffi/fix.ts";
import { ifThere } from "../ffi/missing.ts";
import { type ProcessIdentity, startOf, statField } from "../ffi/proc/process_identity.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { rest } from "../ffi/rest.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { readLinks } from "../ffi/files/read_links.ts";
import { NO_PROCESS, OTHERS_PROCESS, processDirectory } from "../ffi/proc/proc_dir.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import type { JoinQuestions, JoinTarget } from "./host.ts";
import { cgroupFilesOf, isFrozen } from "./process_cgroups.ts";
import { processUser } from "./process_user.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";

/**
 * Returns the process with this pid, and with this start time if given.
 *
 * @throws {SyscallError} `ESRCH` if it has ended, even if another process has its pid now
 */
function targetOf(pid: number, started: number | undefined): ProcessIdentity {
  const stat = statOf(pid);
  if (stat === undefined) throw endedError(pid);
  const found = { pid, started: startOf(stat) };
  if ((started ?? found.started) !== found.started) {
    throw endedError(pid, REUSED);
  }
  if (isDead(stat)) throw endedError(pid);
  return found;
}

/** What became of the pid of a process that has ended. */
export const REUSED = "another process has its pid now";

/** Returns the error of a process that has ended. */
export function endedError(pid: number, hint: string = NO_PROCESS): SyscallError {
  return new SyscallError({
    syscall: "pidfd_open",
    errno: ERRNO.ESRCH,
    call: `pidfd_open(${pid}, 0)`,
    hint,
  });
}

/** Whether a process has ended, be it that its parent has not been told so yet. */
export function hasEnded({ pid, started }: ProcessIdentity): boolean {
  const stat = statOf(pid);
  return stat === undefined || startOf(stat) !== started || isDead(stat);
}

function statOf(pid: number): string | undefined {
  return ifThere(() => readWholeText(at_fdcwd, `${processDirectory(pid)}/stat`), [
    "ENOENT",
    "ESRCH",
  ]);
}

/**
 * Whether a process has ended, is ending, when its root and its namespaces are gone already, or is
 * about to.
 */
export function isDead(stat: string): boolean {
  const [flags, pending] = [Number(statField(stat, 9)), Number(statField(stat, 31))];
  return ["Z", "X"].includes(statField(stat, 3)) || (flags & PF_EXITING) !== 0 ||
    (pending & 1 << SIGNALS.SIGKILL - 1) !== 0;
}

/** A flag of a process: linux/sched.h. */
const PF_EXITING = 0x4;

/**
 * Returns what a plan needs of the process whose namespaces it joins.
 *
 * @throws {SyscallError} `ESRCH` if it has ended, `EACCES` if it is another user's, `EBUSY` if its
 * cgroups are requested, and frozen
 * @throws {UnsupportedError} if its cgroups are requested, and cannot be reached
 */
export function joinTargetOf(
  requested: number,
  started: number | undefined,
  { environment, cgroup, user }: JoinQuestions,
): JoinTarget {
  const identity = targetOf(requested, started);
  const { pid } = identity;
  try {
    return withFixes({ ESRCH: NO_PROCESS, EACCES: OTHERS_PROCESS }, () => {
      const kinds = otherKinds(pid);
      return {
        identity,
        otherKinds: kinds,
        sharesRoot: !kinds.includes("mount") && sharesRoot(pid),
        ownsTime: kinds.includes("user") && kinds.includes("time") && ownsTime(pid),
        setgroupsDenied: deniesSetgroups(pid),
        user: user ? processUser(pid, kinds.includes("user")) : undefined,
        environment: environment ? environmentOf(pid) : {},
        cgroupFiles: cgroup ? thawed(cgroupFilesOf(pid)) : [],
      };
    });
  } catch (error) {
    throw hasEnded(identity) ? endedError(pid) : error;
  }
}

/** Returns the files, unless who enters these cgroups would be frozen, before its program begins. */
export function thawed(files: readonly string[]): readonly string[] {
  const frozen = files.find(isFrozen);
  if (frozen === undefined) return files;
  throw new SyscallError({
    syscall: "write",
    errno: ERRNO.EBUSY,
    call: `write(<${frozen}>, "0")`,
    hint: "the container is paused; resume() first",
  });
}

/** Returns the kinds of namespaces that the process does not share with the calling thread. */
function otherKinds(pid: number): NamespaceKind[] {
  return otherNamespaces(pid, NAMESPACE_KINDS);
}

/** Whether the root of the process is at the same path as the script's. */
function sharesRoot(pid: number): boolean {
  const [root, own] = readLinks([`${processDirectory(pid)}/root`, "/proc/self/root"]);
  return root !== undefined && root === own;
}

/** Whether the time namespace of the process belongs to its user namespace. See ioctl_ns(2). */
function ownsTime(pid: number): boolean {
  const directory = `${processDirectory(pid)}/ns`;
  const opened = openat(at_fdcwd, `${directory}/time`, O_RDONLY | O_CLOEXEC);
  const time = new ResultOf(opened, "time");
  const asked = namespaceIoctl(time, NS_GET_USERNS);
  const owner = new ResultOf(asked, "owner");
  const [of, user] = [statxOutput(), statxOutput()];
  const [unknown, closing] = [new Label("unknown"), new Label("closing")];
  const look = statx(owner, "", AT_EMPTY_PATH, STATX_BASIC_STATS, of);
  const result = syscalls([
    { call: opened },
    // EPERM: it is one above the script's.
    { call: asked, accept: ["EPERM"], onAccepted: unknown, onFailure: unknown },
    { call: look, onFailure: closing },
    { call: statx(at_fdcwd, `${directory}/user`, 0, STATX_BASIC_STATS, user), onFailure: closing },
    closing,
    { call: close(owner) },
    unknown,
    { call: close(time) },
  ]);
  if (result.result(asked) < 0n) return false;
  const [one, other] = [of, user].map((stat) => readStatx(result.output(stat)));
  return one!.dev === other!.dev && one!.ino === other!.ino;
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
    rest(LOADING.pause);
  }
  return [];
}

/** Whether the kernel has set the address of the environment, or the process has ended. */
function isLoaded(stat: string): boolean {
  return statField(stat, 51) !== "0" || isDead(stat);
}
