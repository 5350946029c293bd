/**
 * The process whose namespaces are to be joined, as it is when the recipe is planned.
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { ppoll } from "../ffi/calls/processes.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { withFixes } from "../ffi/fix.ts";
import { type ProcessIdentity, processIdentity, statField } from "../ffi/proc/process_identity.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { syscall } from "../ffi/syscalls.ts";
import { processDirectory } from "../ffi/proc/proc_dir.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import type { JoinQuestions, JoinTarget } from "./host.ts";
import { cgroupFilesOf } from "./process_cgroups.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";

/**
 * The process with this number; the one that has started at this time, if that is given.
 *
 * @throws {SyscallError} `ESRCH` where it has ended, also if another has its number by now
 */
export function targetOf(pid: number, started: number | undefined): ProcessIdentity {
  let found: ProcessIdentity | undefined;
  try {
    found = processIdentity(pid);
  } catch (error) {
    if (!(error instanceof SyscallError) || !GONE.has(error.code)) throw error;
  }
  if (found !== undefined && (started ?? found.started) === found.started) return found;
  throw new SyscallError({
    syscall: "pidfd_open",
    errno: ERRNO.ESRCH,
    call: `pidfd_open(${pid}, 0)`,
    hint: found === undefined ? undefined : "another process has its number by now",
  });
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ESRCH"]);

/**
 * What a step has to know of the process whose namespaces it joins.
 *
 * @throws {SyscallError} `ESRCH` where it has ended, `EACCES` where it is another user's
 * @throws {UnsupportedError} where its cgroups are asked for, and are out of reach
 */
export function joinTargetOf(
  asked: number,
  started: number | undefined,
  { environment, cgroup }: JoinQuestions,
): JoinTarget {
  const fixes = {
    ESRCH: "there is no such process, or not any more",
    EACCES: "the process is another user's, or has privileges that this one has not",
  };
  return withFixes(fixes, () => {
    const identity = targetOf(asked, started);
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

/** The kinds of which the process is in another namespace than the calling thread. */
function otherKinds(pid: number): NamespaceKind[] {
  return otherNamespaces(pid, NAMESPACE_KINDS);
}

/** Whether setgroups(2) is denied in the user namespace of the process. */
function deniesSetgroups(pid: number): boolean {
  return readWholeText(at_fdcwd, `${processDirectory(pid)}/setgroups`).startsWith("deny");
}

/** The environment that the process has begun with. */
export function environmentOf(pid: number): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const string of environmentStrings(pid)) {
    const at = string.indexOf("=");
    if (at > 0) variables[string.slice(0, at)] = string.slice(at + 1);
  }
  return variables;
}

/** How often, and after how many milliseconds, a program is asked again that is being loaded. */
const LOADING = { attempts: 200, pause: 5 };

/** A program that has just been started is still being loaded, and shows no environment yet. */
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

/** Whether the kernel knows where the environment lies, or the process has ended. */
function isLoaded(stat: string): boolean {
  const [end, state] = [statField(stat, 51), statField(stat, 3)];
  return end !== "0" || state === "Z" || state === "X";
}
