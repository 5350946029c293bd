/**
 * Asking a program to end: SIGTERM first, or another signal, so that it can clean up, and SIGKILL
 * where that is of no use.
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { pidfd_send_signal, SIGNALS } from "../ffi/calls/processes.ts";
import { engine } from "../ffi/engine/engine.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { processDirectory } from "../ffi/proc/proc_dir.ts";
import { syscallNumber } from "../ffi/syscall_numbers.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { LaunchedProcess } from "./launched_process.ts";

/** How long a program that got the signal may go on, in milliseconds, where nothing else is said. */
export const USUAL_GRACE = 5000;

/** What a launch may take in any case, in milliseconds: a short timeout is that of the program. */
export const SHORTEST_LAUNCH = 1000;

/**
 * Sends a signal to a container's first process, and returns after how many milliseconds SIGKILL has
 * to follow; `undefined` if SIGKILL was sent at once, because it has no time, or would not get the
 * signal.
 */
export function askToEnd(
  { pid, pidfd, cgroup }: Pick<LaunchedProcess, "pid" | "pidfd" | "cgroup">,
  killAfter = USUAL_GRACE,
  signal: number = SIGNALS.SIGTERM,
): number | undefined {
  const asks = killAfter > 0 && cgroup?.paused !== true && !drops(pid, signal);
  syscall(pidfd_send_signal(pidfd, asks ? signal : SIGNALS.SIGKILL));
  if (!asks) cgroup?.killed();
  return asks ? killAfter : undefined;
}

/**
 * Whether the kernel drops a signal to a process, and tells nobody: to PID 1 of a pid namespace that
 * neither catches nor blocks it (pid_namespaces(7)). While it waits in sigtimedwait(2), as inits do,
 * what it waits for is not shown as blocked.
 */
function drops(pid: number, signal: number): boolean {
  try {
    const directory = processDirectory(pid);
    const waiting = readWholeText(at_fdcwd, `${directory}/syscall`);
    const status = readWholeText(at_fdcwd, `${directory}/status`);
    const number = syscallNumber("rt_sigtimedwait", engine().architecture);
    return /^NSpid:.*\s1$/m.test(status) && !waiting.startsWith(`${number} `) &&
      !TAKEN.some((field) => hasSignal(status, field, signal));
  } catch {
    // It has ended, may not be looked into, or there are no descriptors left: it is only a matter of
    // time then.
    return false;
  }
}

/** The masks of signals that are caught and blocked. */
const TAKEN = ["SigCgt", "SigBlk"] as const;

function hasSignal(status: string, field: string, signal: number): boolean {
  const mask = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}
