/**
 * Waits for children that need no waiting for.
 *
 * @module
 */

import { P_PID, waitid, WEXITED } from "../ffi/calls/processes.ts";
import { syscalls } from "../ffi/syscalls.ts";

/** Waits for a child that has ended, or is about to. */
export function reap(pid: number): void {
  syscalls([{ call: waitid(P_PID, pid, null, WEXITED), accept: ["ECHILD"] }]);
}
