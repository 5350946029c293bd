/**
 * Small files of the host, read with no other permission than that to use FFI.
 *
 * @module
 */

import { Output, ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat, read } from "../../ffi/calls/files.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { performAll } from "../../ffi/perform.ts";

/** The number that the file holds, or `undefined` where there is no such file. */
export function readHostNumber(path: string): number | undefined {
  const opened = openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "fd");
  const text = new Output(64);
  const got = read(fd, text, 64);
  try {
    const outcome = performAll([{ call: opened }, { call: got }, { call: close(fd) }]);
    const { buffer, byteOffset } = outcome.output(text);
    const bytes = new Uint8Array(buffer, byteOffset, Number(outcome.result(got)));
    return Number(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
