/**
 * What can go wrong, typed. Each message says what failed, where, why, and what to do.
 *
 * @module
 */

import { escapeControls } from "./control_characters.ts";
import { ERRNO, type ErrnoName, errnoName, errnoText } from "./errno.ts";
import { positionText, type TextPosition } from "./text_position.ts";

/** Where in a recipe something is wrong, and what has caused it. */
export interface RamekinErrorDetails extends ErrorOptions {
  /** The name of the step: `"hostname"`. */
  readonly step?: string | undefined;
  /** The position of the step in its recipe, counted from 0. */
  readonly stepIndex?: number | undefined;
  /** The field of the step: `"name"`. */
  readonly field?: string | undefined;
  /** Where the step or the field stands, when the recipe is a text. */
  readonly position?: TextPosition | undefined;
}

/**
 * What all errors of Ramekin's own have in common: the place in the recipe, where there is one. The
 * message begins with it, and has no control characters in it, whatever the recipe says.
 *
 * @example What every error can be asked
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
  /** The name of the step, where it is about one. */
  readonly step: string | undefined;
  /** The position of that step in its recipe, counted from 0. */
  readonly stepIndex: number | undefined;
  /** The field of that step, where it is about one. */
  readonly field: string | undefined;
  /** Where that stands, when the recipe is a text. */
  readonly position: TextPosition | undefined;

  /** An error at the place that the details name. */
  constructor(issue: string, details: RamekinErrorDetails = {}) {
    super(escapeControls(placeText(details) + issue), details);
    this.issue = issue;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
    this.field = details.field;
    this.position = details.position;
  }
}

/** What a {@linkcode SyscallError} is made of. */
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
  /** The call as C would write it, where it is known. */
  readonly call: string | undefined;
  /** What to do about it, where that is known. */
  readonly hint: string | undefined;

  /** An error of the system call that the details name. */
  constructor(details: SyscallErrorDetails) {
    super(syscallIssue(details), details);
    this.syscall = details.syscall;
    this.errno = details.errno;
    this.code = errnoName(details.errno) ?? "UNKNOWN";
    this.call = details.call;
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
export class UnsupportedError extends RamekinError {
  /** `"UnsupportedError"`. */
  override readonly name = "UnsupportedError";
}

/** Where a {@linkcode PermissionError} belongs, and what was to be reached. */
export interface PermissionErrorDetails extends RamekinErrorDetails {
  /** What was to be reached: `"/usr"`. */
  readonly value?: string | undefined;
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
export class PermissionError extends RamekinError {
  /** `"PermissionError"`. */
  override readonly name = "PermissionError";
  /** The grant that is missing: `"ffi"`. */
  readonly grant: string;
  /** What was to be reached, where it has a name: `"/usr"`. */
  readonly value: string | undefined;

  /** An error of the grant that is missing. */
  constructor(issue: string, grant: string, details: PermissionErrorDetails = {}) {
    super(issue, details);
    this.grant = grant;
    this.value = details.value;
  }
}

/** The error of an argument that cannot be passed to the kernel at all. */
export function invalidArgument(syscall: string, call: string, hint: string): SyscallError {
  return new SyscallError({ syscall, errno: ERRNO.EINVAL, call, hint });
}

/** What a message about a place in a recipe begins with: `box.yaml:7:5: step 2 (tmpfs), "size": `. */
function placeText({ step, stepIndex, field, position }: RamekinErrorDetails): string {
  const where = positionText(position);
  // Where a step has no name, the message goes on with a verb: step 1 is not a step.
  if (step === undefined) return where + (stepIndex === undefined ? "" : `step ${stepIndex + 1} `);
  const named = stepIndex === undefined ? step : `step ${stepIndex + 1} (${step})`;
  return `${where}${named}${field === undefined ? "" : `, "${field}"`}: `;
}

function syscallIssue({ syscall, errno, call, hint }: SyscallErrorDetails): string {
  const name = errnoName(errno);
  const reason = name ? `${name} (${errnoText(name)})` : `errno ${errno}`;
  return `${call ?? syscall} failed: ${reason}` + (hint ? `\n  ${hint}` : "");
}
