/**
 * The exit status of a program.
 *
 * @module
 */

import { POLLIN, ppoll } from "../ffi/calls/polling.ts";
import {
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  P_PIDFD,
  readChildState,
  readRusage,
  type ResourceUsage,
  rusageOutput,
  siginfoOutput,
  SIGNALS,
  waitid,
  WEXITED,
  WNOHANG,
} from "../ffi/calls/processes.ts";
import { Slot } from "../ffi/call.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import type { ProgramRecord } from "../ffi/engine/program.ts";
import { Routine } from "../ffi/routine.ts";
import { syscalls } from "../ffi/syscalls.ts";

/**
 * The exit status of a program, as `Deno.CommandStatus` has it.
 *
 * @example
 * ```ts
 * import { recipe } from "@ramekin/ramekin";
 * import { assert } from "@std/assert";
 *
 * const { code, durationMs, usage } = await recipe().command("true").spawn().status;
 * assert(code === 0 && durationMs > 0);
 * console.log(usage.userMs + usage.systemMs); // 0.7
 * ```
 */
export interface CommandStatus {
  /** Whether it has exited with code 0. */
  readonly success: boolean;
  /** Its exit code; 128 plus the number of the signal if one has killed it. */
  readonly code: number;
  /** The signal that has killed it, if any. */
  readonly signal: Deno.Signal | null;
  /** Whether it was killed because of its `timeout`. */
  readonly timedOut: boolean;
  /** Whether the OOM killer has killed a process; always `false` without the step `limits`. */
  readonly outOfMemory: boolean;
  /** How long it has run, in milliseconds. */
  readonly durationMs: number;
  /** The time of the processor that the program, and the children it has waited for, have used. */
  readonly usage: ResourceUsage;
}

/**
 * The reason of an end in words: `failed with code 3`. Of a program behind the step `init`, which
 * passes the end on as its own, too. It cannot fail.
 *
 * @example
 * ```ts
 * import { describeEnd, recipe } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const status = await recipe().command("sh", { args: ["-c", "exit 3"] }).output();
 * assertEquals(describeEnd(status), "failed with code 3");
 * ```
 */
export function describeEnd(
  { code, signal, timedOut, outOfMemory, success }: CommandStatus,
): string {
  if (timedOut) return "was ended by its timeout";
  if (success && !outOfMemory) return "ended well";
  const killer = signal ?? killerIn(code);
  if (outOfMemory) return `ran out of memory, and ended with ${signal ?? `code ${code}`}`;
  const cause = killer === "SIGSYS" ? ", for a system call that seccomp() denies" : "";
  if (signal !== null) return `was killed by ${signal}${cause}`;
  return `failed with code ${code}` + (killer === null ? "" : `, as after ${killer}${cause}`);
}

/** The signal of which a shell or an init tells by such a code. */
function killerIn(code: number): Deno.Signal | null {
  return code > 128 ? signalName(code - 128) : null;
}

/** The end of a process, as waitid(2) tells it. */
export type ProcessEnd = Omit<CommandStatus, "durationMs">;

/** Returns the status of a program that has begun at this time of `performance.now()`. */
export function statusSince(startedAt: number, end: ProcessEnd): CommandStatus {
  return { ...end, durationMs: performance.now() - startedAt };
}

/** Returns the status alone, of what has more than it. */
export function statusOf(
  { success, code, signal, timedOut, outOfMemory, durationMs, usage }: CommandStatus,
): CommandStatus {
  return { success, code, signal, timedOut, outOfMemory, durationMs, usage };
}

/**
 * Reaps the child of a pidfd and returns its status; `undefined` if it has not ended, or what traces it
 * keeps that. With `wait`, for a child that nothing in a container traces, only because something has
 * interrupted the call.
 */
export function reapStatus(pidfd: number, wait = false): ProcessEnd | undefined {
  return endIn((wait ? WAITING : LOOKING).run(pidfd));
}

/** The record that reaps the child of a pidfd if it has ended, among other calls. */
export function reaping(pidfd: Slot): ProgramRecord {
  return recordOf(pidfd, WEXITED | WNOHANG);
}

/** Returns what such a record has told, as {@linkcode reapStatus} does. */
export function endIn(outcome: RunResult): ProcessEnd | undefined {
  return statusIn(outcome.output(INFO), outcome.output(USAGE));
}

/** Whether the process of a pidfd has ended, reaped or not. */
export function hasExited(pidfd: number): boolean {
  const look = ppoll([{ fd: pidfd, events: POLLIN }], 0);
  return syscalls([{ call: look, accept: ["EINTR"] }]).result(look) > 0n;
}

const PIDFD = new Slot("pidfd");
const INFO = siginfoOutput(), USAGE = rusageOutput();
const [WAITING, LOOKING] = [WEXITED, WEXITED | WNOHANG].map((options) =>
  new Routine([PIDFD], [recordOf(PIDFD, options)])
) as [Routine, Routine];

function recordOf(pidfd: Slot, options: number): ProgramRecord {
  return { call: waitid(P_PIDFD, pidfd, INFO, options, USAGE), accept: ["EINTR"] };
}

/**
 * Returns the status that waitid(2) has written; `undefined` if it has written none, or that of a
 * program that has only stopped. By PTRACE_TRACEME a program makes the script its tracer, and
 * waitid(2) tells a tracer of the stops of its tracees whatever it waits for.
 */
function statusIn(info: DataView, usage: DataView): ProcessEnd | undefined {
  const state = readChildState(info);
  if (state === undefined || !ENDS.includes(state.code)) return undefined;
  const { code, status } = state;
  const rest = { timedOut: false, outOfMemory: false, usage: readRusage(usage) };
  if (code === CLD_EXITED) return { success: status === 0, code: status, signal: null, ...rest };
  return { success: false, code: 128 + status, signal: signalName(status), ...rest };
}

/** How a process ends. */
const ENDS: readonly number[] = [CLD_EXITED, CLD_KILLED, CLD_DUMPED];

function signalName(number: number): Deno.Signal | null {
  const entry = Object.entries(SIGNALS).find(([, known]) => known === number);
  return entry === undefined ? null : entry[0] as Deno.Signal;
}
