/**
 * System calls made at once, in the calling thread.
 *
 * @module
 */

import type { Call, ShowSlot } from "./call.ts";
import { engine, type RunResult } from "./engine/engine.ts";
import { failureOf, hintOf, shortageHint } from "./engine/failure.ts";
import { assemble, type Label, type ProgramRecord } from "./engine/program.ts";
import { type ErrnoName, errnoName } from "./errno.ts";
import { SyscallError } from "./errors.ts";
import { fixFor, type LazyFixes } from "./fix.ts";

/** What to do about a failure: for some errnos, or as a text for all but the machine's shortages. */
export type Hints = string | LazyFixes;

/**
 * Makes the call, and returns its result.
 *
 * @throws {SyscallError} if it fails
 */
export function syscall(call: Call, hints?: Hints): number {
  return Number(syscalls([{ call }], hints).result(call));
}

/**
 * Makes the calls, and returns their results.
 *
 * @throws {SyscallError} naming the call that failed
 */
export function syscalls(parts: readonly (ProgramRecord | Label)[], hints?: Hints): RunResult {
  const loaded = engine();
  return checkResult(loaded.run(assemble(parts, loaded.architecture)), hints);
}

/**
 * The result of calls, unless one of them has failed.
 *
 * @param show shows the slots of the calls, where their values are known
 * @throws {SyscallError} naming the call that failed
 */
export function checkResult(outcome: RunResult, hints?: Hints, show?: ShowSlot): RunResult {
  const failure = failureOf(outcome, show);
  if (failure === undefined) return outcome;
  const { name, errno, text, words } = failure;
  const hint = hintOf(words, hintFor(errnoName(errno), hints));
  throw new SyscallError({ syscall: name, errno, call: text, hint });
}

function hintFor(code: ErrnoName | undefined, hints: Hints | undefined): string | undefined {
  if (typeof hints === "string") return shortageHint(code) ?? hints;
  return fixFor(hints, code) ?? shortageHint(code);
}
