/**
 * The error of changes that are held.
 *
 * @module
 */

import { RamekinError, type RamekinErrorDetails } from "../ffi/errors.ts";
import type { Change } from "./change.ts";

/** What a {@linkcode ChangesError} is about: for programs that treat some errors in their own way. */
export type ChangesErrorCode =
  /** A directory cannot be held. */
  | "invalid"
  /** Files of the host were changed meanwhile. */
  | "conflict"
  /** A change is of a file that is protected or denied. */
  | "protected"
  /** There is no place for changes, or what is there is damaged. */
  | "place"
  /** A program has changed files since they were told, and may still run. */
  | "in-use"
  /** A commit has begun, and could not be finished. */
  | "unfinished"
  /** The changes were made or thrown away before. */
  | "ended";

/** The details of a {@linkcode ChangesError}. */
export interface ChangesErrorDetails extends Pick<RamekinErrorDetails, "cause" | "advice"> {
  /** What it is about. */
  readonly code: ChangesErrorCode;
  /** The changes that it is about. */
  readonly changes?: readonly Change[];
}

/**
 * Changes that cannot be held, or not be made. The message names the files, and what to do.
 *
 * @example
 * ```ts
 * import { ChangesError, hold } from "@ramekin/ramekin/changes";
 *
 * try {
 *   await hold(["/etc/hostname"]);
 * } catch (error) {
 *   if (!(error instanceof ChangesError)) throw error;
 *   console.log(error.code); // invalid
 * }
 * ```
 */
export class ChangesError extends RamekinError {
  /** `"ChangesError"`. */
  override readonly name = "ChangesError";
  /** What it is about. */
  readonly code: ChangesErrorCode;
  /** The changes that it is about. */
  readonly changes: readonly Change[];

  /** Creates an error with the details. */
  constructor(issue: string, { code, changes = [], ...details }: ChangesErrorDetails) {
    super(issue, details);
    this.code = code;
    this.changes = changes;
  }
}
