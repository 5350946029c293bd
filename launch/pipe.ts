/**
 * Pipes. See pipe(7).
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { O_CLOEXEC, pipe2 } from "../ffi/calls/files.ts";
import { Routine } from "../ffi/routine.ts";

/**
 * Opens a pipe.
 *
 * @throws {SyscallError} if too many files are open
 */
export function openPipe(): { readonly reader: number; readonly writer: number } {
  const opened = OPENING.run().output(ENDS);
  return { reader: opened.getInt32(0, true), writer: opened.getInt32(4, true) };
}

const ENDS = new Output(8, "&ends");
const OPENING = new Routine([], [{ call: pipe2(ENDS, O_CLOEXEC) }]);
