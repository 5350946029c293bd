/**
 * The classes of errors. Each message says what failed, where, why, and what to do.
 *
 * @module
 */

import { escapeControls, quoted } from "./control_characters.ts";
import { ERRNO, type ErrnoName, errnoName, errnoText } from "./errno.ts";
import { positionText, type TextPosition } from "./text_position.ts";

/** The place in a recipe that an error is about, and its cause. */
export interface RamekinErrorDetails extends ErrorOptions {
  /** The name of the step: `"hostname"`. */
  readonly step?: string | undefined;
  /** The position of the step in its recipe, counted from 0. */
  readonly stepIndex?: number | undefined;
  /** The field of the step: `"name"`. */
  readonly field?: string | undefined;
  /** The position of the step or the field, if the recipe is a text. */
  readonly position?: TextPosition | undefined;
  /** Further lines of the message: what to do about it. */
  readonly advice?: readonly string[] | undefined;
}

/**
 * The base of Ramekin's errors. An error may have a place in the recipe; its message starts with that,
 * and shows control characters escaped, whatever the recipe contains.
 *
 * @example The place of an error
 * ```ts
 * import { hostname, RamekinError, recipe } from "@ramekin/ramekin";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => recipe(hostname("")), RamekinError);
 * assertEquals([error.step, error.stepIndex, error.field], ["hostname", 0, "name"]);
 * ```
 */
export class RamekinError extends Error {
  /** The name of the class: `"SyscallError"`. */
  override readonly name: string = "RamekinError";
  /** What is wrong, without the place. */
  readonly issue: string;
  /** The name of the step, if it is about one. */
  readonly step: string | undefined;
  /** The position of that step in its recipe, counted from 0. */
  readonly stepIndex: number | undefined;
  /** The field of that step, if it is about one. */
  readonly field: string | undefined;
  /** The position of that, if the recipe is a text. */
  readonly position: TextPosition | undefined;
  /** Further lines of the message: what to do about it. */
  readonly advice: readonly string[];

  /** Creates an error about the place in the details. */
  constructor(issue: string, details: RamekinErrorDetails = {}) {
    const { advice = [] } = details;
    // Only these lines begin anew, whatever the recipe contains.
    super([placeText(details) + issue, ...advice].map(escapeControls).join("\n  "), details);
    this.issue = issue;
    this.advice = advice;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
    this.field = details.field;
    this.position = details.position;
  }
}

/** The details of a {@linkcode SyscallError}. */
export interface SyscallErrorDetails extends RamekinErrorDetails {
  /** The system call by the kernel's name: `"mount"`. */
  readonly syscall: string;
  /** The errno: `1`. */
  readonly errno: number;
  /** The call as C would write it: `mount("tmpfs", "/tmp", ...)`. */
  readonly call?: string | undefined;
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
export class SyscallError extends RamekinError {
  /** `"SyscallError"`. */
  override readonly name = "SyscallError";
  /** The system call by the kernel's name: `"mount"`. */
  readonly syscall: string;
  /** The errno's number. */
  readonly errno: number;
  /** The errno's name: `"EPERM"`. */
  readonly code: ErrnoName | "UNKNOWN";
  /** The call as C would write it, if that is known. */
  readonly call: string | undefined;
  /** What to do about it, if that is known. */
  readonly hint: string | undefined;

  /** Creates an error of the system call in the details. */
  constructor(details: SyscallErrorDetails) {
    const { hint } = details;
    super(syscallIssue(details), { ...details, ...(hint && { advice: [hint] }) });
    this.syscall = details.syscall;
    this.errno = details.errno;
    this.code = errnoName(details.errno) ?? "UNKNOWN";
    this.call = details.call;
    this.hint = details.hint;
  }
}

/**
 * A feature that this kernel, architecture or configuration of the host does not have. The message
 * says which, and what enables it.
 *
 * @example A restriction that this kernel may not have
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
export class UnsupportedError extends RamekinError {
  /** `"UnsupportedError"`. */
  override readonly name = "UnsupportedError";
}

/** The details of a {@linkcode PermissionError}. */
export interface PermissionErrorDetails extends RamekinErrorDetails {
  /** What the recipe needs access to: `"/usr"`. */
  readonly value?: string | undefined;
  /** Whether it is denied by name. */
  readonly denied?: boolean | undefined;
}

/**
 * A permission that was not granted. The message names it, and what grants it.
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
export class PermissionError extends RamekinError {
  /** `"PermissionError"`. */
  override readonly name = "PermissionError";
  /** The missing permission: `"ffi"`. */
  readonly grant: string;
  /** What the recipe needs access to, if it has a name: `"/usr"`. */
  readonly value: string | undefined;
  /** Whether it is denied by name, so that granting it is of no use. */
  readonly denied: boolean;

  /** Creates an error about the missing permission. */
  constructor(issue: string, grant: string, details: PermissionErrorDetails = {}) {
    super(issue, details);
    this.grant = grant;
    this.value = details.value;
    this.denied = details.denied ?? false;
  }
}

/** The error of an argument that cannot be passed to the kernel at all. */
export function invalidArgument(syscall: string, call: string, hint: string): SyscallError {
  return new SyscallError({ syscall, errno: ERRNO.EINVAL, call, hint });
}

/** The beginning of a message about a place: `box.yaml:7:5: step 2 (tmpfs), "size": `. */
function placeText({ step, stepIndex, field, position }: RamekinErrorDetails): string {
  const where = positionText(position);
  // Where a step has no name, the message goes on with a verb: step 1 is not a step.
  if (step === undefined) return where + (stepIndex === undefined ? "" : `step ${stepIndex + 1} `);
  const named = stepIndex === undefined ? step : `step ${stepIndex + 1} (${step})`;
  return `${where}${named}${field === undefined ? "" : `, ${quoted(field)}`}: `;
}

function syscallIssue({ syscall, errno, call }: SyscallErrorDetails): string {
  const name = errnoName(errno);
  const reason = name ? `${name} (${errnoText(name)})` : `errno ${errno}`;
  return `${call ?? syscall} failed: ${reason}`;
}
