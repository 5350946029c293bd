/**
 * Waiting for children. See waitid(2).
 *
 * @module
 */

import { type Call, call, constant, type Fd, flags, Output, type Pid } from "../call.ts";
import { WAIT_FLAGS, WAIT_ID_TYPES } from "./names/waiting.ts";

export * from "./constants/waiting.ts";

/** Waits for a child. See waitid(2). */
export function waitid(idType: number, id: Pid | Fd, info: Output | null, options: number): Call {
  return call(
    "waitid",
    constant(idType, WAIT_ID_TYPES),
    id,
    info,
    flags(options, WAIT_FLAGS),
    null,
  );
}

/** Memory for what waitid(2) returns. */
export function siginfoOutput(): Output {
  return new Output(128, "&siginfo");
}

/** The state of a child: a part of siginfo_t (asm-generic/siginfo.h). */
export interface ChildState {
  /** How its state changed: `CLD_EXITED`, `CLD_KILLED` ... */
  readonly code: number;
  /** The child. */
  readonly pid: number;
  /** Its real user id. */
  readonly uid: number;
  /** Its exit code, or the signal that killed, stopped or resumed it. */
  readonly status: number;
}

/** What waitid(2) returned; `undefined` if no child has changed, with `WNOHANG`. */
export function readChildState(info: DataView): ChildState | undefined {
  const pid = info.getInt32(16, true);
  if (pid === 0) return undefined;
  return {
    code: info.getInt32(8, true),
    pid,
    uid: info.getUint32(20, true),
    status: info.getInt32(24, true),
  };
}
