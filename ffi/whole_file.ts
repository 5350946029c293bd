/**
 * Files read whole, with no other permission than that to use FFI.
 *
 * @module
 */

import { type Fd, Output } from "./call.ts";
import { close, O_CLOEXEC, O_RDONLY, openat, read } from "./calls/files.ts";
import { perform, performAll } from "./perform.ts";

const PART_SIZE = 32 * 1024;

/**
 * All that the file holds.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, and for files of /proc `ESRCH` where the process is gone
 */
export function readWholeFile(folder: Fd, path: string): Uint8Array<ArrayBuffer> {
  const fd = perform(openat(folder, path, O_RDONLY | O_CLOEXEC, 0));
  try {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    // Files of /proc give less than is asked for before they are at their end.
    for (let part = readPart(fd); part.length > 0; part = readPart(fd)) parts.push(part);
    return parts.length === 1 ? parts[0]! : concatenated(parts);
  } finally {
    perform(close(fd));
  }
}

/** All that the file holds, as text. */
export function readWholeText(folder: Fd, path: string): string {
  return new TextDecoder().decode(readWholeFile(folder, path));
}

function readPart(fd: number): Uint8Array<ArrayBuffer> {
  const buffer = new Output(PART_SIZE, "&buffer");
  const got = read(fd, buffer, PART_SIZE);
  const outcome = performAll([{ call: got }]);
  const { buffer: memory, byteOffset } = outcome.output(buffer);
  return new Uint8Array(memory as ArrayBuffer, byteOffset, Number(outcome.result(got)));
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
