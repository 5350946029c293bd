/**
 * The reason why execve(2) has failed for a program.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { shortageHint } from "../ffi/engine/failure.ts";
import { ERRNO, type ErrnoName, errnoName, errnoText } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { generalFix } from "../plan/general_fix.ts";
import { type ExecCandidate, TOO_MANY_PROCESSES } from "./exec_candidates.ts";
import type { CompiledLaunch } from "./launch.ts";
import { orMemoryLimit } from "./memory_limit_fix.ts";
import { missingHint } from "./missing_program.ts";
import type { LaunchValues } from "./slots.ts";

/**
 * Returns the error of a program that could not be executed, for the most informative candidate.
 */
export function programError(
  { plan, layout }: Pick<CompiledLaunch, "plan" | "layout">,
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
  const general = GENERAL.has(lastErrno);
  const chosen = general ? tried.at(-1)! : found ?? denied ?? tried.at(-1)!;
  const path = paths[layout.candidates.indexOf(chosen)]!;
  const errno = general ? lastErrno : errnoOf(chosen);
  const error = (hint: string | undefined) =>
    new SyscallError({ syscall: "execve", errno, call: describeExecve(path), hint });
  const place = plan.state.filesAt;
  const code = errnoName(errno);
  const fix = code && EXECVE_FIXES[code];
  if (general) return error(orMemoryLimit(fix, code, plan));
  if (denied !== undefined && isLandlocked(plan)) {
    return error(
      `${path} may not be executed; landlock() has to allow it: ` +
        "the program, its loader and its libraries",
    );
  }
  if (fix !== undefined) return error(`${path}: ${fix}`);
  if (found !== undefined) {
    const executable = result.result(found.executable) === 0n;
    return error(whyNotStarted(path, { head: headOf(result, found)!, executable, code, place }));
  }
  if (denied !== undefined && result.result(denied.readHead) === BigInt(-ERRNO.EISDIR)) {
    return error(`${path} is a directory`);
  }
  if (denied !== undefined) {
    return error(
      `${path} may not be executed: permission is denied for it, or for a directory on the ` +
        "way to it",
    );
  }
  if (code === "ENOEXEC") return error(`${path} is neither a program nor a script`);
  if (!NOT_THERE.has(errno)) return error(generalFix("execve", code));
  const where = spec.program.includes("/")
    ? ""
    : ` in the directories of PATH (${spec.searchPath})`;
  const missing = new Deno.errors.NotFound(
    escapeControls(
      `program not found ${place}: "${spec.program}"${where}: ${errnoText("ENOENT")}`,
    ) + `\n  ${missingHint(spec.program, plan.state.filesAt)}`,
    { cause: error("the program does not exist") },
  );
  // As Deno's own have it.
  return Object.assign(missing, { code: "ENOENT" });
}

/** The errors that Linux 6.1 returns before it looks the file up. */
const GENERAL: ReadonlySet<number> = new Set([ERRNO.E2BIG, ERRNO.ENOMEM]);

/** The fixes for errors of execve(2) that tell the reason by themselves. See execve(2). */
const EXECVE_FIXES: Readonly<Partial<Record<ErrnoName, string>>> = {
  E2BIG: "the arguments and the environment are larger than the kernel accepts (execve(2)), or " +
    "than the memory that is left for them",
  EAGAIN: TOO_MANY_PROCESSES,
  EISDIR: "its dynamic loader is a directory",
  ELIBBAD: "its dynamic loader is not a program that this kernel can load",
  ENOMEM: shortageHint("ENOMEM")!,
  ETXTBSY: "a process has the file open for writing; execute it after it is closed",
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

/** What is known of a file that exists and could not be executed. */
interface FailedFile {
  /** How the file begins. */
  readonly head: Uint8Array;
  /** Whether its own mode, and its mount, let it be executed. */
  readonly executable: boolean;
  readonly code: ErrnoName | undefined;
  /** Where it was looked for. */
  readonly place: string;
}

/** Returns why execve(2) has failed for a file. */
function whyNotStarted(path: string, { head, executable, code, place }: FailedFile): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(head);
  const denied = code === "EACCES";
  if (denied && !executable) {
    return `${path} exists, but may not be executed; chmod +x it, or see whether it is on a ` +
      "mount with noexec";
  }
  if (text.startsWith("#!")) {
    return `${path} is a script, and its interpreter ${interpreterIssue(text, denied, place)}`;
  }
  if (text.startsWith("\x7fELF")) {
    if (denied) return `${path} may be executed, but not its dynamic loader (see ldd ${path})`;
    return code === "ENOENT"
      ? `${path} exists, but its dynamic loader does not: bind the libraries too (see ldd ${path})`
      : `${path} is for another architecture`;
  }
  if (text.startsWith("\ufeff#!")) {
    return `${path} begins with a byte order mark, so that the kernel does not see its "#!"; ` +
      "save it without one";
  }
  return `${path} is neither a program nor a script that begins with "#!"`;
}

/** Reports what is wrong with the interpreter of a script. See execve(2), "Interpreter scripts". */
function interpreterIssue(script: string, denied: boolean, place: string): string {
  const [line] = script.slice(2).split("\n") as [string];
  // The kernel separates words by blanks and tabs alone, so a carriage return is part of the name.
  const [word = ""] = line.replace(/^[ \t]+/, "").split(/[ \t\0]/);
  const interpreter = JSON.stringify(word);
  if (word.endsWith("\r")) {
    return `${interpreter} ends with a carriage return; save it with line feeds alone (dos2unix)`;
  }
  if (word === "") return 'has no name behind "#!"';
  return denied
    ? `${interpreter} may not be executed (chmod +x)`
    : `${interpreter} is not ${place}`;
}

function describeExecve(path: string): string {
  return `execve(${JSON.stringify(path)}, ...)`;
}
