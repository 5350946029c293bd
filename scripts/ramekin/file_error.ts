/**
 * Files of the command line that cannot be read or written: the error names the file, not the call.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

/** A file that cannot be read or written, or does not hold what it should. */
export class FileError extends Error {
  /** `"FileError"`. */
  override readonly name = "FileError";

  /** Creates an error of one line, whatever the name of the file, and of advice below it. */
  constructor(message: string, options: ErrorOptions & { advice?: readonly string[] } = {}) {
    super([message, ...options.advice ?? []].map(escapeControls).join("\n"), options);
  }
}

/** Reads the file; the error of one that cannot be read names it. */
export function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = reasonOf(error, READING);
    throw why === undefined ? error : fileError(`${path} cannot be read: ${why}`, path, error);
  }
}

/** Writes the file, or makes the directory; the error of one that cannot be written names it. */
export function writable<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const why = reasonOf(error, WRITING);
    throw why === undefined ? error : fileError(`${path} cannot be written: ${why}`, path, error);
  }
}

const READING: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such directory",
  EISDIR: "it is a directory; name a file in it",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
};

const WRITING: Readonly<Record<string, string>> = {
  ENOENT: "its directory is not there; make that first (ENOENT)",
  ENOTDIR: "what should be its directory is a file (ENOTDIR)",
  EISDIR: "it is a directory; name a file in it (EISDIR)",
  EACCES: "this user may not write there (EACCES)",
  EPERM: "this user may not write there (EPERM)",
  EROFS: "its filesystem is read-only (EROFS)",
  ENOSPC: "no space is left there (ENOSPC)",
  ETXTBSY: "it is a program that runs; write another file and rename it (ETXTBSY)",
};

/** Why it failed, in words, by the errno that Deno's errors have as Ramekin's do. */
function reasonOf(error: unknown, reasons: Readonly<Record<string, string>>): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return Object.hasOwn(reasons, code) ? reasons[code] : undefined;
}

function fileError(message: string, path: string, cause: unknown): FileError {
  return new FileError(`${message}${unexpanded(path)}`, { cause });
}
