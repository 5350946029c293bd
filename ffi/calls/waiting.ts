/**
 * Waiting for children. See waitid(2).
 *
 * @module
 */

import { type Call, call, constant, type Fd, flags, Output, type Pid } from "../call.ts";
import { WAIT_FLAGS, WAIT_ID_TYPES } from "./names/waiting.ts";

export * from "./constants/waiting.ts";

/** Waits for a child; the kernel's call returns its resource usage too. See waitid(2). */
export function waitid(
  idType: number,
  id: Pid | Fd,
  info: Output | null,
  options: number,
  usage: Output | null = null,
): Call {
  return call(
    "waitid",
    constant(idType, WAIT_ID_TYPES),
    id,
    info,
    flags(options, WAIT_FLAGS),
    usage,
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

/** Memory for the resources that a child has used: struct rusage. */
export function rusageOutput(): Output {
  return new Output(144, "&rusage");
}

/**
 * What a process, and the children that it has waited for, have used. See getrusage(2). Its largest
 * memory is not here: the kernel counts that of the script too, whose memory the process shared until
 * execve(2).
 */
export interface ResourceUsage {
  /** Processor time in user mode, in milliseconds. */
  readonly userMs: number;
  /** Processor time in the kernel, in milliseconds. */
  readonly systemMs: number;
}

/** What waitid(2) has written of a child's usage. */
export function readRusage(usage: DataView): ResourceUsage {
  const time = (at: number) =>
    Number(usage.getBigInt64(at, true)) * 1000 + Number(usage.getBigInt64(at + 8, true)) / 1000;
  return { userMs: time(0), systemMs: time(16) };
}
