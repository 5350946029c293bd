/**
 * Paths among the options of a command.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import { shown } from "../recipe/shown.ts";

/**
 * Returns the path of a file, which may be given as a URL.
 *
 * @throws {TypeError} for a URL that is of no file of this machine
 */
export function pathOf(path: string | URL): string {
  if (typeof path === "string") return path;
  if (!(path instanceof URL)) {
    throw optionError(
      `the program or directory should be a string or a file: URL, not ${shown(path)}`,
    );
  }
  if (path.protocol !== "file:") throw optionError(`${path} is not a file: URL`);
  // As fileURLToPath() of node:url has it: what is decoded would be another file.
  if (path.hostname !== "") {
    throw optionError(`${path} names a host; a file of this machine is file://${path.pathname}`);
  }
  if (/%2f/i.test(path.pathname)) {
    throw optionError(`${path} has an escaped slash (%2F), which the name of a file cannot have`);
  }
  if (/%00/.test(path.pathname)) {
    throw optionError(`${path} has a NUL byte (%00), which the name of a file cannot have`);
  }
  // A % that begins no escape is one, as for Deno.
  const escaped = path.pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25");
  try {
    return decodeURIComponent(escaped);
  } catch {
    throw optionError(`${path} is not UTF-8 when it is decoded; give the path as a string`);
  }
}

/** The error of an option that is invalid. */
export function optionError(message: string): TypeError {
  return new TypeError(escapeControls(message));
}
