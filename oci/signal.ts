/**
 * Signals to processes of a container, by descriptors of theirs: a number could be another process's by
 * the time that the signal is sent.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { pidfd_open, pidfd_send_signal } from "../ffi/calls/processes.ts";
import { ifThere } from "../ffi/missing.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { isAlive } from "./state.ts";

/** Sends a signal to a process; does nothing if it has ended. */
export function signalProcess(process: ProcessIdentity, number: number): void {
  signalThose([process.pid], () => isAlive(process) ? [process.pid] : [], number);
}

/**
 * Sends a signal to processes that are found by looking, and returns their numbers.
 *
 * @param find returns their numbers. It is asked again once there are descriptors: a number that it
 * returns twice is that of one of them, whichever, or the descriptor's process has ended
 */
export function signalFound(find: () => readonly number[], number: number): readonly number[] {
  const pids = find();
  signalThose(pids, find, number);
  return pids;
}

function signalThose(
  pids: readonly number[],
  find: () => readonly number[],
  number: number,
): void {
  const pidfds = new Map<number, number>();
  try {
    for (const pid of pids) {
      const pidfd = ifThere(() => syscall(pidfd_open(pid, 0)), ["ESRCH"]);
      if (pidfd !== undefined) pidfds.set(pid, pidfd);
    }
    const still = new Set(find());
    for (const [pid, pidfd] of pidfds) {
      if (!still.has(pid)) continue;
      syscalls([{ call: pidfd_send_signal(pidfd, number), accept: ["ESRCH"] }]);
    }
  } finally {
    for (const pidfd of pidfds.values()) syscall(close(pidfd));
  }
}
