/**
 * Whole files, read with `--allow-ffi` alone.
 *
 * @module
 */

import { type Call, type Fd, Output, ResultOf } from "../call.ts";
import { close, O_CLOEXEC, O_RDONLY, openat, read } from "../calls/files.ts";
import { concat } from "../concat.ts";
import type { RunResult } from "../engine/engine.ts";
import { syscall, syscalls } from "../syscalls.ts";
import { Label } from "../engine/program.ts";

/** The size up to which a file is read by one run of the engine; most files are smaller. */
const SMALL = 4 * 1024;
const PART = 32 * 1024;

/**
 * Returns the contents of the file as text.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, and for files of /proc `ESRCH` if the process has ended
 */
export function readWholeText(directory: Fd, path: string): string {
  return new TextDecoder().decode(readWhole(directory, path));
}

/**
 * Returns the beginning of a file as text, which somebody may have made very long.
 *
 * @param limit how many bytes are read, or up to a part more
 * @throws {SyscallError} as {@linkcode readWholeText}
 */
export function readBeginningText(directory: Fd, path: string, limit: number): string {
  const bytes = readSmall(directory, path) ?? readLarge(directory, path, limit);
  return new TextDecoder().decode(bytes);
}

/**
 * Returns the contents of the file.
 *
 * @throws {SyscallError} as {@linkcode readWholeText}
 */
export function readWhole(directory: Fd, path: string): Uint8Array<ArrayBuffer> {
  return readSmall(directory, path) ?? readLarge(directory, path);
}

/** Returns the contents, if they end within one part. */
function readSmall(directory: Fd, path: string): Uint8Array<ArrayBuffer> | undefined {
  const opened = openat(directory, path, O_RDONLY | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "fd");
  const part = new Output(SMALL, "&buffer");
  const got = read(fd, part, SMALL);
  const rest = read(fd, new Output(1, "&rest"), 1);
  const closing = new Label("closing");
  const outcome = syscalls([
    { call: opened },
    { call: got, onFailure: closing },
    { call: rest, onFailure: closing },
    closing,
    { call: close(fd) },
  ]);
  return outcome.result(rest) === 0n ? bytesOf(outcome, got, part) : undefined;
}

function readLarge(directory: Fd, path: string, limit = Infinity): Uint8Array<ArrayBuffer> {
  const fd = syscall(openat(directory, path, O_RDONLY | O_CLOEXEC, 0));
  try {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    // A read of a file of /proc may return less than a full part before the end.
    for (let size = 0; size < limit;) {
      const part = readPart(fd);
      if (part.length === 0) break;
      parts.push(part);
      size += part.length;
    }
    return concat(parts);
  } finally {
    syscall(close(fd));
  }
}

function readPart(fd: number): Uint8Array<ArrayBuffer> {
  const part = new Output(PART, "&buffer");
  const got = read(fd, part, PART);
  return bytesOf(syscalls([{ call: got }]), got, part);
}

function bytesOf(outcome: RunResult, got: Call, part: Output): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = outcome.output(part);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, Number(outcome.result(got)));
}
