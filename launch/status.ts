/**
 * How a program has ended.
 *
 * @module
 */

import {
  CLD_EXITED,
  P_PIDFD,
  readChildState,
  siginfoOutput,
  SIGNALS,
  waitid,
  WEXITED,
  WNOHANG,
} from "../ffi/calls/processes.ts";
import { Slot } from "../ffi/call.ts";
import { Routine } from "../ffi/routine.ts";

/** How a program has ended, as `Deno.CommandStatus` has it. */
export interface CommandStatus {
  /** Whether it has ended by itself, with the code 0. */
  readonly success: boolean;
  /** Its exit code; 128 and the number of the signal where one has ended it. */
  readonly code: number;
  /** The signal that has ended it. */
  readonly signal: Deno.Signal | null;
  /** Whether it was killed because its `timeout` was over. */
  readonly timedOut: boolean;
  /** Whether a process was killed as memory was short; known where the step `limits` is there. */
  readonly outOfMemory: boolean;
}

/**
 * The status of the child behind the pidfd, which then is no more; `undefined` while it runs, or
 * where the thread is to wait for it, when a signal has come in between.
 */
export function reapStatus(pidfd: number, wait = false): CommandStatus | undefined {
  return statusIn((wait ? WAITING : LOOKING).run(pidfd).output(INFO));
}

const PIDFD = new Slot("pidfd");
const INFO = siginfoOutput();
const [WAITING, LOOKING] = [WEXITED, WEXITED | WNOHANG].map((options) =>
  new Routine([PIDFD], [{ call: waitid(P_PIDFD, PIDFD, INFO, options), accept: ["EINTR"] }])
) as [Routine, Routine];

/** The status that waitid(2) has written; `undefined` where it has not. */
export function statusIn(info: DataView): CommandStatus | undefined {
  const state = readChildState(info);
  if (state === undefined) return undefined;
  const { code, status } = state;
  const rest = { timedOut: false, outOfMemory: false };
  if (code === CLD_EXITED) return { success: status === 0, code: status, signal: null, ...rest };
  return { success: false, code: 128 + status, signal: signalName(status), ...rest };
}

function signalName(number: number): Deno.Signal | null {
  const entry = Object.entries(SIGNALS).find(([, known]) => known === number);
  return entry === undefined ? null : entry[0] as Deno.Signal;
}
