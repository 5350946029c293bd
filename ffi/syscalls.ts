/**
 * System calls made at once, in the calling thread.
 *
 * @module
 */

import type { Call } from "./call.ts";
import { engine, type RunResult } from "./engine/engine.ts";
import { errnoName } from "./errno.ts";
import { SyscallError } from "./errors.ts";
import { failureOf, hintOf, shortageHint } from "./engine/failure.ts";
import { assemble, type Label, type ProgramRecord } from "./engine/program.ts";

/** Makes the call and answers its result; see {@linkcode syscalls}. */
export function syscall(call: Call, hint?: string): number {
  return Number(syscalls([{ call }], hint).result(call));
}

/**
 * Makes the calls in the calling thread.
 *
 * @throws {SyscallError} naming the call that failed
 */
export function syscalls(parts: readonly (ProgramRecord | Label)[], hint?: string): RunResult {
  const loaded = engine();
  return checkResult(loaded.run(assemble(parts, loaded.architecture)), hint);
}

/**
 * The result of calls, unless one of them has failed.
 *
 * @throws {SyscallError} naming the call that failed
 */
export function checkResult(outcome: RunResult, hint?: string): RunResult {
  const failure = failureOf(outcome);
  if (failure === undefined) return outcome;
  const { name, errno, text, words } = failure;
  const mend = shortageHint(errnoName(errno)) ?? hint;
  throw new SyscallError({ syscall: name, errno, call: text, hint: hintOf(words, mend) });
}
