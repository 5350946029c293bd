/**
 * What can go wrong, typed. Each message says what failed, where, why, and what to do.
 *
 * @module
 */

import { ERRNO, type ErrnoName, errnoName, errnoText } from "./errno.ts";
import { positionText, type TextPosition } from "./text_position.ts";

/** What a {@linkcode SyscallError} tells beside its message. */
export interface SyscallErrorDetails {
  /** The system call by the kernel's name: `"mount"`. */
  readonly syscall: string;
  /** The errno: `1`. */
  readonly errno: number;
  /** The call as C would write it: `mount("tmpfs", "/tmp", ...)`. */
  readonly call?: string | undefined;
  /** The name of the step that made the call: `"tmpfs"`. */
  readonly step?: string | undefined;
  /** The position of that step in its recipe, counted from 0. */
  readonly stepIndex?: number | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/**
 * A system call that failed.
 *
 * @example
 * ```ts
 * import { SyscallError } from "@ramekin/ramekin";
 *
 * const error = new SyscallError({ syscall: "mount", errno: 1 });
 * console.log(error.code); // EPERM
 * ```
 */
export class SyscallError extends Error {
  /** `"SyscallError"`. */
  override readonly name = "SyscallError";
  /** The system call by the kernel's name: `"mount"`. */
  readonly syscall: string;
  /** The errno's number. */
  readonly errno: number;
  /** The errno's name: `"EPERM"`. */
  readonly code: ErrnoName | "UNKNOWN";
  /** The call as C would write it, where it is known. */
  readonly call: string | undefined;
  /** The name of the step that made the call, where a recipe did. */
  readonly step: string | undefined;
  /** The position of that step in its recipe, counted from 0. */
  readonly stepIndex: number | undefined;
  /** What to do about it, where that is known. */
  readonly hint: string | undefined;

  /** An error of the system call that the details name. */
  constructor(details: SyscallErrorDetails) {
    super(syscallMessage(details));
    this.syscall = details.syscall;
    this.errno = details.errno;
    this.code = errnoName(details.errno) ?? "UNKNOWN";
    this.call = details.call;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
    this.hint = details.hint;
  }
}

/**
 * What this kernel, architecture or setting of the host does not offer; the message says what, and
 * what gives it.
 *
 * @example A limit that is left out where it cannot be had
 * ```ts
 * import { landlock, recipe, UnsupportedError } from "@ramekin/ramekin";
 *
 * const box = recipe(landlock({ isolate: ["signals"] }));
 * try {
 *   await box.command("true").output();
 * } catch (error) {
 *   if (!(error instanceof UnsupportedError)) throw error;
 *   console.log(error.message); // landlock: this kernel cannot isolate a program (Linux 6.12) ...
 * }
 * ```
 */
export class UnsupportedError extends Error {
  /** `"UnsupportedError"`. */
  override readonly name = "UnsupportedError";
}

/** What a {@linkcode PermissionError} tells beside its message. */
export interface PermissionErrorDetails extends ErrorOptions {
  /** What was to be reached: `"/usr"`. */
  readonly value?: string | undefined;
  /** The name of the step that reaches for it: `"bind"`. */
  readonly step?: string | undefined;
  /** The position of that step in its recipe, counted from 0. */
  readonly stepIndex?: number | undefined;
  /** Where that step stands, when the recipe is a text. */
  readonly position?: TextPosition | undefined;
}

/**
 * A permission that was not granted; the message names it and what grants it.
 *
 * @example
 * ```ts
 * import { PermissionError, sandbox } from "@ramekin/ramekin";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const box = sandbox({ write: ["/etc/hosts"] });
 * try {
 *   await box.command("true", { permissions: { read: true } }).output();
 * } catch (error) {
 *   assert(error instanceof PermissionError);
 *   assertEquals([error.grant, error.value, error.step], ["write", "/etc/hosts", "bind"]);
 * }
 * ```
 */
export class PermissionError extends Error {
  /** `"PermissionError"`. */
  override readonly name = "PermissionError";
  /** The grant that is missing: `"ffi"`. */
  readonly grant: string;
  /** What was to be reached, where it has a name: `"/usr"`. */
  readonly value: string | undefined;
  /** The name of the step that reaches for it, where one does. */
  readonly step: string | undefined;
  /** The position of that step in its recipe, counted from 0. */
  readonly stepIndex: number | undefined;
  /** Where that step stands, when the recipe is a text. */
  readonly position: TextPosition | undefined;

  /** An error of the grant that is missing. */
  constructor(message: string, grant: string, details: PermissionErrorDetails = {}) {
    super(positionText(details.position) + message, details);
    this.position = details.position;
    this.grant = grant;
    this.value = details.value;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
  }
}

/** An argument that cannot even be handed to the kernel. */
export function invalidArgument(syscall: string, call: string, hint: string): SyscallError {
  return new SyscallError({ syscall, errno: ERRNO.EINVAL, call, hint });
}

function syscallMessage(details: SyscallErrorDetails): string {
  const { syscall, errno, call, step, stepIndex, hint } = details;
  const name = errnoName(errno);
  const reason = name ? `${name} (${errnoText(name)})` : `errno ${errno}`;
  const where = step === undefined
    ? ""
    : stepIndex === undefined
    ? `${step}: `
    : `step ${stepIndex + 1} (${step}): `;
  return `${where}${call ?? syscall} failed: ${reason}` + (hint ? `\n  ${hint}` : "");
}
