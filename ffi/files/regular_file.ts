/**
 * Files that somebody untrusted names. To open a device, a pipe or a socket has effects: a watchdog
 * restarts the machine, a tape rewinds, whoever waits at a pipe goes on. So a file is looked at
 * first, and only a regular one is opened.
 *
 * @module
 */

import { describeCall, Output } from "../call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openat,
  pread64,
  readlinkat,
  S_IFMT,
  S_IFREG,
} from "../calls/files.ts";
import { AT_EMPTY_PATH } from "../calls/mounts.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../calls/statx.ts";
import { concat } from "../concat.ts";
import { SyscallError } from "../errors.ts";
import { NO_SUCH_PATH } from "../missing.ts";
import { syscall, syscalls } from "../syscalls.ts";

/** The most bytes of one read, and of a path. */
const [MOST_AT_ONCE, PATH_MAX] = [64 * 1024, 4096];

/** A regular file that was found by its path. */
export class RegularFile implements Disposable {
  /** Its path now, without symbolic links. */
  readonly path: string;
  /** Its size in bytes; 0 for most files of /proc, which have no contents until they are read. */
  readonly size: number;
  readonly #found: number;
  #opened: number | undefined;

  /** Use {@linkcode withRegularFile}. */
  constructor(found: number, size: number) {
    this.#found = found;
    this.size = size;
    const target = new Output(PATH_MAX, "&path");
    const link = readlinkat(at_fdcwd, linkTo(found), target);
    const outcome = syscalls([{ call: link }]);
    const { buffer, byteOffset } = outcome.output(target);
    this.path = new TextDecoder().decode(
      new Uint8Array(buffer, byteOffset, Number(outcome.result(link))),
    );
  }

  /**
   * Reads from an offset: `length` bytes, or fewer at the end or beyond 64 KiB. A file of size 0 is
   * never opened.
   *
   * @throws {SyscallError} `EACCES`
   */
  readAt(offset: number, length: number): Uint8Array {
    if (this.size === 0) return new Uint8Array();
    this.#opened ??= this.#open();
    const output = new Output(Math.min(length, MOST_AT_ONCE), "&bytes");
    const call = pread64(this.#opened, output, output.size, offset);
    const outcome = syscalls([{ call }]);
    const { buffer, byteOffset } = outcome.output(output);
    return new Uint8Array(buffer, byteOffset, Number(outcome.result(call))).slice();
  }

  /** Reads all that it held when it was found, and no more. */
  readAll(): Uint8Array<ArrayBuffer> {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < this.size;) {
      const part = this.readAt(at, this.size - at);
      if (part.length === 0) break;
      parts.push(part);
      at += part.length;
    }
    return concat(parts);
  }

  /** Opens the file that was found, wherever its path leads by now. */
  #open(): number {
    const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    try {
      return syscall(openat(at_fdcwd, linkTo(this.#found), flags));
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      const call = describeCall(openat(at_fdcwd, this.path, flags));
      throw new SyscallError({ syscall: "openat", errno: error.errno, call, hint: error.hint });
    }
  }

  [Symbol.dispose](): void {
    if (this.#opened !== undefined) syscall(close(this.#opened));
  }
}

/**
 * Finds a file without opening it, and uses it if it is a regular one; `undefined` for any other,
 * and where there is none.
 *
 * @throws {SyscallError} `EACCES`
 */
export function withRegularFile<T>(path: string, use: (file: RegularFile) => T): T | undefined {
  const finding = openat(at_fdcwd, path, O_PATH | O_CLOEXEC);
  // Libraries are looked for at many places: an error for each would take most of the time.
  const outcome = syscalls([{ call: finding, accept: NO_SUCH_PATH }]);
  const found = Number(outcome.result(finding));
  if (found < 0) return undefined;
  try {
    const output = statxOutput();
    const call = statx(found, "", AT_EMPTY_PATH, STATX_BASIC_STATS, output);
    const { mode, size } = readStatx(syscalls([{ call }]).output(output));
    if ((mode & S_IFMT) !== S_IFREG) return undefined;
    using file = new RegularFile(found, size);
    return use(file);
  } finally {
    syscall(close(found));
  }
}

function linkTo(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
