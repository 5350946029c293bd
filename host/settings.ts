/**
 * Small files of the host, read with no other permission than that to use FFI.
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { ifThere, NO_SUCH_PATH } from "../ffi/missing.ts";
import { readWholeText } from "../ffi/files/read_file.ts";

/** The number that a file holds, such as one below /proc/sys; `undefined` where there is none. */
export function readSetting(path: string): number | undefined {
  // An outer container may hide settings (EACCES).
  return ifThere(() => Number(readWholeText(at_fdcwd, path)), [...NO_SUCH_PATH, "EACCES"]);
}
