/**
 * Errors of a launch, with the step.
 *
 * @module
 */

import type { RunResult } from "../ffi/engine/engine.ts";
import { type Failure, failureOf, hintOf } from "../ffi/engine/failure.ts";
import { ERRNO, type ErrnoName, errnoName } from "../ffi/errno.ts";
import { SyscallError, UnsupportedError } from "../ffi/errors.ts";
import { fixFor, type LazyFixes } from "../ffi/fix.ts";
import { endedError } from "../host/join_target.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { generalFix } from "../plan/general_fix.ts";
import type { CompiledLaunch } from "./launch.ts";
import { recordOf } from "./link.ts";
import { orMemoryLimit } from "./memory_limit_fix.ts";
import { programError } from "./program_error.ts";
import { type LaunchValues, showValues } from "./slots.ts";

/** What is told of a launch that has failed. */
export interface FailedLaunch {
  readonly compiled: Pick<CompiledLaunch, "plan" | "layout">;
  readonly values: LaunchValues;
}

/** Returns the error of a launch that has failed. */
export function launchError({ compiled, values }: FailedLaunch, result: RunResult): Error {
  const { plan, layout } = compiled;
  const failure = failureOf(result, showValues(values));
  if (failure === undefined) return killedError();
  if (layout.candidates.some(({ execve }) => execve === failure.call)) {
    return programError(compiled, values, result, failure.errno);
  }
  const { stepIndex, fixes, isFound } = recordOf(failure.call, layout);
  if (isFound === true && isMiss(errnoName(failure.errno))) plan.becomeMissed();
  return failureError(failure, { plan, stepIndex, fixes });
}

/** Returns the error of a launch that something else has ended. */
export function killedError(): SyscallError {
  return new SyscallError({
    syscall: "clone",
    errno: ERRNO.EINTR,
    hint: "the container was killed during the launch; does it have enough memory?",
  });
}

/** Returns the error of a launch that has not come to its program in time. */
export function heldUpError(): SyscallError {
  return new SyscallError({
    syscall: "execve",
    errno: ERRNO.ETIMEDOUT,
    hint:
      "something has stopped it before its program began, as a program of the container may by " +
      "SIGSTOP; it was killed",
  });
}

/** Whether it is an error of a file that is not what it was when it was found. */
export function isMiss(code: string | undefined): boolean {
  return code !== undefined && MISSES.has(code);
}

const MISSES: ReadonlySet<string> = new Set(["EEXIST", "EINVAL", "ELOOP", "ENOENT", "ENOTDIR"]);

/** The step of a call that has failed, and the fixes for its errors. */
interface FailureContext {
  readonly plan: PlanBuilder;
  readonly stepIndex: number | undefined;
  readonly fixes: LazyFixes | undefined;
}

/** Returns the error of a call that has failed. */
export function failureError(
  { name, errno, text, words }: Failure,
  { plan, stepIndex, fixes }: FailureContext,
): SyscallError {
  const code = errnoName(errno);
  const fix = orEarlierStep(fixFor(fixes, code) ?? generalFix(name, code), code, plan, stepIndex);
  return new SyscallError({
    syscall: name,
    errno,
    call: text,
    ...stepDetails(plan, stepIndex),
    hint: hintOf(words, orMemoryLimit(fix, code, plan)),
  });
}

/** Adds to the fix that an earlier step may have dropped the capability that the call needs. */
function orEarlierStep(
  fix: string | undefined,
  code: ErrnoName | undefined,
  { cursor }: PlanBuilder,
  stepIndex: number | undefined,
): string | undefined {
  const before = code === "EPERM" && stepIndex !== undefined
    ? cursor.droppedBefore(stepIndex)
    : undefined;
  if (before === undefined) return fix;
  const dropped = `step ${before + 1} (${cursor.nameOf(before)}) may have dropped the capability ` +
    "for this; put it after this step";
  return fix === undefined ? dropped : `${dropped}; or ${fix}`;
}

/**
 * Returns the error of a launch, or, if a process that it joins has ended meanwhile, the one that
 * says so: the call that has failed depends on how far its end has come.
 */
export function orEnded(error: unknown, plan: PlanBuilder): unknown {
  if (!(error instanceof SyscallError || error instanceof Deno.errors.NotFound)) return error;
  const ended = plan.joined.find(({ identity }) => plan.host.hasEnded(identity));
  if (ended === undefined) return error;
  return stepError(endedError(ended.identity.pid), plan, ended.stepIndex);
}

/** Adds the step to an error of the script's part of it. */
export function stepError(error: unknown, plan: PlanBuilder, stepIndex: number): unknown {
  const details = stepDetails(plan, stepIndex);
  if (error instanceof UnsupportedError && error.stepIndex === undefined) {
    return new UnsupportedError(error.issue, {
      ...details,
      advice: error.advice,
      cause: error.cause,
    });
  }
  if (!(error instanceof SyscallError)) return error;
  const { syscall, errno, call } = error;
  const hint = error.hint ?? generalFix(syscall, errnoName(errno));
  return new SyscallError({ syscall, errno, call, ...details, hint });
}

function stepDetails(
  plan: PlanBuilder,
  stepIndex: number | undefined,
): { step?: string; stepIndex?: number } {
  return stepIndex === undefined ? {} : { step: plan.cursor.nameOf(stepIndex), stepIndex };
}
