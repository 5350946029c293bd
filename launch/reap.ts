/**
 * Waits for children that need no waiting for.
 *
 * @module
 */

import {
  P_PID,
  readChildState,
  siginfoOutput,
  waitid,
  WEXITED,
  WNOHANG,
} from "../ffi/calls/processes.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { HeldEnd } from "./held_end.ts";

/** Waits for a child that has ended, or is about to. */
export function reap(pid: number): void {
  syscalls([{ call: waitid(P_PID, pid, null, WEXITED), accept: ["ECHILD"] }]);
}

/** The same of one that a program of its container may trace: it is left where that does not end. */
export function reapTraced(pid: number, patience?: number): void {
  const held = new HeldEnd(patience);
  for (;;) {
    const info = siginfoOutput();
    const call = waitid(P_PID, pid, info, WEXITED | WNOHANG);
    const outcome = syscalls([{ call, accept: ["ECHILD"] }]);
    const isGone = outcome.result(call) !== 0n;
    if (isGone || readChildState(outcome.output(info)) !== undefined || held.isOver) return;
    held.rest();
  }
}
