/**
 * Why a launch has failed: the error with its step, and for a program that could not be started the
 * reason that execve(2) does not tell.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { ERRNO, errnoName, errnoText } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { failureOf, hintOf } from "../ffi/engine/failure.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { fixFor } from "../ffi/fix.ts";
import { hintFor } from "./hints.ts";
import { type LaunchProgram, stepOf } from "./link.ts";
import type { ExecCandidate, ExecSpec } from "./exec.ts";

/** A launch under way. */
export interface Launch {
  readonly plan: PlanBuilder;
  readonly order: ExecSpec;
  readonly layout: LaunchProgram;
  readonly outcome: RunResult;
}

/** The error of a launch that has come to nothing. */
export function launchError(launch: Launch): Error {
  const { plan, outcome, layout } = launch;
  const failure = failureOf(outcome);
  if (failure === undefined) {
    return new SyscallError({
      syscall: "clone",
      errno: ERRNO.EINTR,
      hint: "the container was killed while it was being made; is its memory short?",
    });
  }
  const { call, errno, name, text, words } = failure;
  if (layout.attempts.some((attempt) => attempt.execve === call)) {
    return programError(launch, errno);
  }
  return new SyscallError({
    syscall: name,
    errno,
    call: text,
    ...stepDetails(plan, stepOf(call, plan, layout)),
    hint: hintOf(
      words,
      fixFor(plan.planned(call)?.fixes, errnoName(errno)) ?? hintOfFailure(name, text, errno, plan),
    ),
  });
}

/** What to do about it; what has run short may be the memory of the container's own group. */
function hintOfFailure(
  name: string,
  text: string,
  errno: number,
  plan: PlanBuilder,
): string | undefined {
  const code = errnoName(errno);
  const hint = hintFor(name, text, code, plan.state);
  if (plan.limits?.limits.memory === undefined || !SHORT_OF_MEMORY.has(code)) return hint;
  const little = "limits() may allow too little memory for the launch itself: 1 MiB is enough";
  return hint === undefined ? little : `${little}; or ${hint}`;
}

/** What calls answer in a group whose memory is used up, whatever it is that they have to store. */
const SHORT_OF_MEMORY: ReadonlySet<string | undefined> = new Set([
  "E2BIG",
  "ENFILE",
  "ENOMEM",
  "ENOSPC",
]);

/** An error of the script's part of a step, with the step. */
export function stepError(error: unknown, plan: PlanBuilder, stepIndex: number): unknown {
  if (!(error instanceof SyscallError)) return error;
  const { syscall, errno, call } = error;
  const hint = hintOf(
    error.hint,
    hintFor(syscall, call ?? syscall, errnoName(errno), plan.state),
  );
  return new SyscallError({ syscall, errno, call, ...stepDetails(plan, stepIndex), hint });
}

function stepDetails(
  plan: PlanBuilder,
  stepIndex: number | undefined,
): { step?: string; stepIndex?: number } {
  return stepIndex === undefined ? {} : { step: plan.cursor.nameOf(stepIndex), stepIndex };
}

/** Which of the attempts says most, and why it failed. */
function programError(launch: Launch, lastErrno: number): Error {
  const { order, outcome, layout } = launch;
  const errnoOf = (attempt: ExecCandidate) => -Number(outcome.result(attempt.execve));
  // What has failed for another reason than that nothing is there ends the search.
  const attempts = layout.attempts.filter((attempt) => errnoOf(attempt) > 0);
  const found = attempts.find((attempt) => headOf(launch, attempt) !== undefined);
  // A directory of PATH that may not be searched denies every name; that is none of the program's.
  const denied = attempts.find((attempt) =>
    errnoOf(attempt) === ERRNO.EACCES &&
    (attempts.length === 1 || outcome.result(attempt.exists) === 0n)
  );
  const told = found ?? denied ?? attempts.at(-1)!;
  // These are not about the file: Linux 6.1 tells them before it has looked for one.
  const general = lastErrno === ERRNO.E2BIG || lastErrno === ERRNO.ENOMEM;
  const errno = general || told === attempts.at(-1) ? lastErrno : errnoOf(told);
  const error = (hint: string) =>
    new SyscallError({ syscall: "execve", errno, call: describeExecve(told.path), hint });
  if (general) {
    return error(hintOfFailure("execve", "execve", errno, launch.plan)!);
  }
  if (denied !== undefined && isLandlocked(launch)) {
    return error(
      `${told.path} may not be executed; landlock() has to allow it: ` +
        "the program, its loader and its libraries",
    );
  }
  if (found !== undefined) return error(whyNotStarted(told.path, headOf(launch, found)!, errno));
  if (denied !== undefined && outcome.result(denied.readHead) === BigInt(-ERRNO.EISDIR)) {
    return error(`${told.path} is a directory`);
  }
  if (denied !== undefined) {
    return error(
      `${told.path} may not be executed: it, or a directory on the way to it, denies it`,
    );
  }
  if (!NOT_THERE.has(errno)) {
    return error(hintOfFailure("execve", "execve", errno, launch.plan) ?? "");
  }
  const where = order.program.includes("/")
    ? ""
    : ` in the directories of PATH (${order.searchPath})`;
  return new Deno.errors.NotFound(
    escapeControls(
      `program not found in the container: "${order.program}"${where}: ${errnoText("ENOENT")}\n` +
        "  is it on the container's file tree, as the steps have made it?",
    ),
    { cause: error("the program is not there") },
  );
}

/** What execve(2) says of a name that leads to no file. */
const NOT_THERE: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.EACCES]);

function isLandlocked({ plan }: Launch): boolean {
  return plan.beforeProgram.some(({ call }) => call.name === "landlock_restrict_self");
}

/** The beginning of the program's file, where there is one that can be read. */
function headOf({ outcome }: Launch, attempt: ExecCandidate): Uint8Array | undefined {
  const count = Number(outcome.result(attempt.readHead));
  if (count <= 0) return undefined;
  const { buffer, byteOffset } = outcome.output(attempt.head);
  return new Uint8Array(buffer, byteOffset, count);
}

/** Tells from the beginning of a file why execve(2) did not take it. */
function whyNotStarted(path: string, head: Uint8Array, errno: number): string {
  const code = errnoName(errno);
  if (code === "EACCES") {
    return `${path} is there, but may not be executed; chmod +x it, or see whether it lies on a ` +
      "mount with noexec";
  }
  const text = new TextDecoder().decode(head);
  if (text.startsWith("#!")) {
    const interpreter = text.slice(2).trimStart().split(/[\s\0]/)[0];
    return `${path} is a script, and its interpreter "${interpreter}" is not in the container`;
  }
  if (text.startsWith("\x7fELF")) {
    return code === "ENOENT"
      ? `${path} is there, but its dynamic loader is not: bind the libraries too (see ldd ${path})`
      : `${path} is made for another kind of machine`;
  }
  return `${path} is neither a program nor a script that begins with "#!"`;
}

function describeExecve(path: string): string {
  return `execve(${JSON.stringify(path)}, ...)`;
}
