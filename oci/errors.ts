/**
 * Failures in the words that engines read: one line, with the kernel's words in lower case, as
 * podman, containerd and docker find the exit status of a program in them.
 *
 * @module
 */

import { errnoName, errnoText } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { RecipeError } from "../recipe/errors.ts";

/** A failure of the runtime, whose message is what engines get. */
export class OciError extends Error {
  override readonly name = "OciError";
  /** The exit status of the runtime. */
  readonly status: number;

  /** Creates an error with the words that engines read. */
  constructor(message: string, status = 1) {
    super(message);
    this.status = status;
  }
}

/** A hook that has failed: the container ends, and its last hooks run. */
export class HookError extends OciError {}

/** Throws for a part of config.json that cannot be done. */
export function unsupported(path: string, why: string): never {
  throw new OciError(`${path}: ${why}`);
}

/** Returns the words for an error, without line breaks. */
export function wordsFor(error: unknown, program?: string): string {
  return textFor(error, program).replaceAll(/\s*\n\s*/g, "; ");
}

function textFor(error: unknown, program: string | undefined): string {
  if (error instanceof SyscallError) return syscallWords(error, program);
  if (error instanceof Deno.errors.NotFound && program !== undefined && isOfProgram(error)) {
    return program.includes("/")
      ? `exec: ${JSON.stringify(program)}: no such file or directory`
      : `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  }
  if (error instanceof OciError || error instanceof RecipeError) return error.message;
  return lowered(error instanceof Error ? error.message : String(error));
}

/** Whether an error is that of a launch whose program is missing. */
function isOfProgram({ cause }: Error): boolean {
  return cause instanceof SyscallError && cause.syscall === "execve";
}

function syscallWords(error: SyscallError, program: string | undefined): string {
  const { step, syscall, call, errno, hint } = error;
  const code = errnoName(errno);
  const words = code === undefined ? `errno ${errno}` : lowered(errnoText(code));
  const isProgram = step === undefined && program !== undefined &&
    (syscall === "execve" || code === "EISDIR");
  if (isProgram) {
    const denied = code === "EISDIR" ? "permission denied" : words;
    return `exec: ${JSON.stringify(program)}: ${denied}`;
  }
  const part = step === undefined ? "" : `${step}: `;
  return `${part}${call ?? syscall}: ${words}${hint === undefined ? "" : ` (${hint})`}`;
}

/** Lower-cases what the kernel and Deno begin with a capital. */
function lowered(text: string): string {
  return text.replaceAll(/\b[A-Z](?=[a-z])/g, (letter) => letter.toLowerCase());
}
