/**
 * Errors of a launch, with the step, and with the reason why execve(2) has failed.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { type Failure, failureOf, hintOf, shortageHint } from "../ffi/engine/failure.ts";
import { ERRNO, type ErrnoName, errnoName, errnoText } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { fixFor, type LazyFixes } from "../ffi/fix.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { ExecCandidate } from "./enter_program.ts";
import { generalFix } from "../plan/general_fix.ts";
import type { CompiledLaunch, PreparedLaunch } from "./launch.ts";
import { recordOf } from "./link.ts";
import { type LaunchValues, showValues } from "./slots.ts";

/** Returns the error of a launch that has failed. */
export function launchError({ compiled, values }: PreparedLaunch, result: RunResult): Error {
  const { plan, layout } = compiled;
  const failure = failureOf(result, showValues(values));
  if (failure === undefined) {
    return new SyscallError({
      syscall: "clone",
      errno: ERRNO.EINTR,
      hint: "the container was killed during the launch; does it have enough memory?",
    });
  }
  if (layout.candidates.some(({ execve }) => execve === failure.call)) {
    return programError(compiled, values, result, failure.errno);
  }
  const { stepIndex, fixes } = recordOf(failure.call, layout);
  return failureError(failure, { plan, stepIndex, fixes });
}

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
    hint: hintOf(words, orLimits(fix, code, plan)),
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

/** Adds to the fix that the memory limit of the container may be too low. */
function orLimits(
  fix: string | undefined,
  code: ErrnoName | undefined,
  plan: PlanBuilder,
): string | undefined {
  if (plan.limits?.limits.memory === undefined || !SHORT_OF_MEMORY.has(code)) return fix;
  const little = "limits() may allow too little memory for the launch itself: 1 MiB is enough";
  return fix === undefined ? little : `${little}; or ${fix}`;
}

/** The errors of calls in a control group whose memory is used up. */
const SHORT_OF_MEMORY: ReadonlySet<ErrnoName | undefined> = new Set([
  "E2BIG",
  "ENFILE",
  "ENOMEM",
  "ENOSPC",
]);

/** Adds the step to an error of the script's part of it. */
export function stepError(error: unknown, plan: PlanBuilder, stepIndex: number): unknown {
  if (!(error instanceof SyscallError)) return error;
  const { syscall, errno, call } = error;
  const hint = error.hint ?? generalFix(syscall, errnoName(errno));
  return new SyscallError({ syscall, errno, call, ...stepDetails(plan, stepIndex), hint });
}

function stepDetails(
  plan: PlanBuilder,
  stepIndex: number | undefined,
): { step?: string; stepIndex?: number } {
  return stepIndex === undefined ? {} : { step: plan.cursor.nameOf(stepIndex), stepIndex };
}

/**
 * Returns the error of a program that could not be executed, for the most informative candidate.
 */
function programError(
  { plan, layout }: CompiledLaunch,
  { spec, paths }: LaunchValues,
  result: RunResult,
  lastErrno: number,
): Error {
  const errnoOf = ({ execve }: ExecCandidate) => -Number(result.result(execve));
  // The search has ended at an errno other than ENOENT, ENOTDIR and EACCES.
  const tried = layout.candidates.filter((candidate) => errnoOf(candidate) > 0);
  const found = tried.find((candidate) => headOf(result, candidate) !== undefined);
  // EACCES can be that of a directory of PATH, so with several candidates the file has to exist.
  const denied = tried.find((candidate) =>
    errnoOf(candidate) === ERRNO.EACCES &&
    (tried.length === 1 || result.result(candidate.exists) === 0n)
  );
  const chosen = found ?? denied ?? tried.at(-1)!;
  const path = paths[layout.candidates.indexOf(chosen)]!;
  // These are not errors of the file: Linux 6.1 returns them before it looks the file up.
  const general = lastErrno === ERRNO.E2BIG || lastErrno === ERRNO.ENOMEM;
  const errno = general || chosen === tried.at(-1) ? lastErrno : errnoOf(chosen);
  const error = (hint: string | undefined) =>
    new SyscallError({ syscall: "execve", errno, call: describeExecve(path), hint });
  if (general) return error(orLimits(EXECVE_FIXES[errnoName(errno)!], errnoName(errno), plan)!);
  if (denied !== undefined && isLandlocked(plan)) {
    return error(
      `${path} may not be executed; landlock() has to allow it: ` +
        "the program, its loader and its libraries",
    );
  }
  if (found !== undefined) return error(whyNotStarted(path, headOf(result, found)!, errno));
  if (denied !== undefined && result.result(denied.readHead) === BigInt(-ERRNO.EISDIR)) {
    return error(`${path} is a directory`);
  }
  if (denied !== undefined) {
    return error(
      `${path} may not be executed: permission is denied for it, or for a directory on the ` +
        "way to it",
    );
  }
  if (!NOT_THERE.has(errno)) {
    const code = errnoName(errno);
    return error(EXECVE_FIXES[code!] ?? generalFix("execve", code));
  }
  const where = spec.program.includes("/")
    ? ""
    : ` in the directories of PATH (${spec.searchPath})`;
  return new Deno.errors.NotFound(
    escapeControls(
      `program not found in the container: "${spec.program}"${where}: ${errnoText("ENOENT")}`,
    ) + "\n  is it in the container's file tree?",
    { cause: error("the program does not exist") },
  );
}

/** The fixes for errors of execve(2) that are not about the path. */
const EXECVE_FIXES: Readonly<Partial<Record<ErrnoName, string>>> = {
  ENOEXEC: "the file is neither a program nor a script",
  E2BIG: "the arguments and the environment are larger than the kernel accepts (execve(2)), or " +
    "than the memory that is left for them",
  ENOMEM: shortageHint("ENOMEM")!,
};

/** The errors of execve(2) for a path at which there is no file. */
const NOT_THERE: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.EACCES]);

function isLandlocked({ beforeProgram }: PlanBuilder): boolean {
  return beforeProgram.some(({ call }) => call.name === "landlock_restrict_self");
}

/** Returns the start of the candidate's file; `undefined` if it could not be read. */
function headOf(result: RunResult, candidate: ExecCandidate): Uint8Array | undefined {
  const count = Number(result.result(candidate.readHead));
  if (count <= 0) return undefined;
  const { buffer, byteOffset } = result.output(candidate.head);
  return new Uint8Array(buffer, byteOffset, count);
}

/** Returns why execve(2) has failed for a file that starts with these bytes. */
function whyNotStarted(path: string, head: Uint8Array, errno: number): string {
  const code = errnoName(errno);
  if (code === "EACCES") {
    return `${path} exists, but may not be executed; chmod +x it, or see whether it is on a ` +
      "mount with noexec";
  }
  const text = new TextDecoder().decode(head);
  if (text.startsWith("#!")) {
    const interpreter = text.slice(2).trimStart().split(/[\s\0]/)[0];
    return `${path} is a script, and its interpreter "${interpreter}" is not in the container`;
  }
  if (text.startsWith("\x7fELF")) {
    return code === "ENOENT"
      ? `${path} exists, but its dynamic loader does not: bind the libraries too (see ldd ${path})`
      : `${path} is for another architecture`;
  }
  return `${path} is neither a program nor a script that begins with "#!"`;
}

function describeExecve(path: string): string {
  return `execve(${JSON.stringify(path)}, ...)`;
}
