/**
 * The contents of open files. None is read beyond the size that it had when it was opened: who
 * appends to a file without end does not keep the script reading.
 *
 * @module
 */

import { Output } from "../../ffi/call.ts";
import { ftruncate, lseek, pread64, pwrite64, write } from "../../ffi/calls/files.ts";
import { concat } from "../../ffi/concat.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";

/** How many bytes are read or written at once. */
const PART = 128 * 1024;
/** After how many bytes other work of the script has its turn. */
const TURN = 8 * 1024 * 1024;

/**
 * The bytes of a file, part by part.
 *
 * @param size how many; a file of /proc says 0 and has some, which come up to `most`
 */
export async function* parts(
  fd: number,
  size: number,
  most: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const end = size === 0 ? most : size;
  for (let at = 0; at < end;) {
    const part = readAt(fd, at, Math.min(PART, end - at));
    if (part.length === 0) return;
    yield part;
    if (Math.floor((at + part.length) / TURN) > Math.floor(at / TURN)) await turn();
    at += part.length;
  }
}

/** Copies the data of a file, up to this size, and leaves its holes out: these have any size. */
export async function copyData(from: number, to: number, size: number): Promise<void> {
  for (let at = 0; at < size;) {
    // A filesystem that the container serves itself may answer anything.
    at = Math.max(at, Math.min(seek(from, at, SEEK_DATA) ?? size, size));
    const hole = seek(from, at, SEEK_HOLE) ?? size;
    for (const end = hole > at ? Math.min(hole, size) : size; at < end;) {
      const part = readAt(from, at, Math.min(PART, end - at));
      // It has become shorter meanwhile.
      if (part.length === 0) return void syscall(ftruncate(to, at));
      writeAll(to, part, at);
      if (Math.floor((at + part.length) / TURN) > Math.floor(at / TURN)) await turn();
      at += part.length;
    }
  }
  syscall(ftruncate(to, size));
}

/** Where data and holes begin in a file: lseek(2). */
const [SEEK_DATA, SEEK_HOLE] = [3, 4];

/** Returns where the next data, or the next hole, begins; `undefined` where there is none. */
function seek(fd: number, at: number, whence: number): number | undefined {
  try {
    return syscall(lseek(fd, at, whence));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === "ENXIO") return undefined;
    // A filesystem that knows nothing of holes.
    if (error.code === "EINVAL") return whence === SEEK_DATA ? at : undefined;
    throw error;
  }
}

/** Reads a file. */
export async function readAll(
  fd: number,
  size: number,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const all: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of parts(fd, size, most)) all.push(part);
  return concat(all);
}

/** Writes all of these bytes to a file, at an offset, or at its end. */
export function writeAll(fd: number, bytes: Uint8Array, at: number | "end"): void {
  for (let done = 0; done < bytes.length;) {
    const part = bytes.slice(done, done + PART);
    done += syscall(
      at === "end" ? write(fd, part, part.length) : pwrite64(fd, part, part.length, at + done),
    );
  }
}

function readAt(fd: number, offset: number, size: number): Uint8Array<ArrayBuffer> {
  const output = new Output(size, "&bytes");
  const call = pread64(fd, output, size, offset);
  const outcome = syscalls([{ call }]);
  const { buffer, byteOffset } = outcome.output(output);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, Number(outcome.result(call))).slice();
}

/** Lets other work of the script have its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
