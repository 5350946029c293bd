/**
 * Paths among the options of a command.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import { shown } from "../recipe/shown.ts";

/** Returns the path of a file, which may be given as a URL. */
export function pathOf(path: string | URL): string {
  if (typeof path === "string") return path;
  if (!(path instanceof URL)) {
    throw optionError(
      `the program or directory should be a string or a file: URL, not ${shown(path)}`,
    );
  }
  if (path.protocol !== "file:") throw optionError(`${path} is not a file: URL`);
  // A % that begins no escape is one, as for Deno.
  return decodeURIComponent(path.pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
}

/** The error of an option that is invalid. */
export function optionError(message: string): TypeError {
  return new TypeError(escapeControls(message));
}
