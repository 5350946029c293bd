/**
 * Settings of the host: files of /proc/sys with a number, read with `--allow-ffi` alone.
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { ifThere, NO_SUCH_PATH } from "../ffi/missing.ts";
import { readWholeText } from "../ffi/files/read_file.ts";

/** Returns the number in a file of /proc/sys; `undefined` if there is no such file. */
export function readSetting(path: string): number | undefined {
  // EACCES: an outer container may hide settings.
  return ifThere(() => Number(readWholeText(at_fdcwd, path)), [...NO_SUCH_PATH, "EACCES"]);
}
