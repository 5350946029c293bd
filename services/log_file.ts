/**
 * A log in a file, with older parts of it beside.
 *
 * @module
 */

import {
  at_fdcwd,
  close,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
  openat,
  renameat2,
  S_IFMT,
  S_IFREG,
  write,
} from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../ffi/calls/statx.ts";
import { geteuid } from "../ffi/linux/users.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/** A log in a file. */
export interface LogFileOptions {
  /** The path of the file, to which lines are added. */
  readonly path: string;
  /**
   * The size from which on a new file is begun; the old one gets the name `path.1`.
   *
   * @default {10485760}
   */
  readonly maxBytes?: number;
  /** How many old files are kept. The default is 3. */
  readonly keep?: number;
}

/**
 * The file of a log is a regular one in the directory that was there at first, whatever its program,
 * which may be able to change that, has put in its place. It holds names and secrets of programs: nobody
 * else reads it.
 */
const MODE = 0o600;

const NEWLINE = 10;
const MOST_AT_ONCE = 64 * 1024;

/** A log that is written to. */
export class LogFile implements Disposable {
  /** The descriptor of its directory. */
  readonly #directory: number;
  readonly #name: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  #fd: number;
  #size: number;

  /**
   * @throws {SyscallError} `ENOENT`, `EACCES`, `ELOOP` for a symbolic link
   * @throws {TypeError} for what is no regular file, or is another user's, but for root's
   */
  constructor({ path, maxBytes = 10 * 2 ** 20, keep = 3 }: LogFileOptions) {
    if (!(maxBytes >= 1)) throw new TypeError(`maxBytes should be at least 1, not ${maxBytes}`);
    this.#maxBytes = maxBytes;
    this.#keep = keep;
    const end = path.lastIndexOf("/") + 1;
    this.#name = path.slice(end);
    const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    this.#directory = syscall(openat(at_fdcwd, path.slice(0, end) || ".", flags));
    try {
      [this.#fd, this.#size] = this.#open();
    } catch (error) {
      syscall(close(this.#directory));
      throw error;
    }
  }

  /**
   * Adds lines; one that is longer than a file is cut.
   *
   * @throws {SyscallError} `ENOSPC`
   */
  write(lines: Uint8Array): void {
    let rest = lines;
    while (rest.length > 0) {
      const room = this.#maxBytes - this.#size;
      const fitting = rest.length <= room ? rest.length : rest.lastIndexOf(NEWLINE, room - 1) + 1;
      if (fitting === 0 && this.#size > 0) {
        this.#rotate();
        continue;
      }
      const part = rest.slice(0, Math.min(fitting || room, MOST_AT_ONCE));
      const written = syscall(write(this.#fd, part, part.length));
      this.#size += written;
      rest = rest.subarray(written);
    }
  }

  #rotate(): void {
    const names = [
      this.#name,
      ...Array.from({ length: this.#keep }, (_, n) => `${this.#name}.${n + 1}`),
    ];
    for (let index = names.length - 1; index > 0; index--) {
      const directory = this.#directory;
      const call = renameat2(directory, names[index - 1]!, directory, names[index]!, 0);
      syscalls([{ call, accept: ["ENOENT"] }]);
    }
    const full = this.#fd;
    [this.#fd, this.#size] = this.#open();
    syscall(close(full));
  }

  #open(): [fd: number, size: number] {
    // A named pipe would be waited for.
    const flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const fd = syscall(openat(this.#directory, this.#name, flags, MODE));
    const output = statxOutput();
    const call = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, output);
    const { mode, size, uid } = readStatx(syscalls([{ call }]).output(output));
    const issue = (mode & S_IFMT) !== S_IFREG
      ? "is no regular file"
      : uid !== geteuid() && uid !== 0
      ? `belongs to user ${uid}, who could read it: remove it, or have it in a directory of yours`
      : undefined;
    if (issue === undefined) return [fd, size];
    syscall(close(fd));
    throw new TypeError(`the log ${this.#name} ${issue}`);
  }

  [Symbol.dispose](): void {
    syscall(close(this.#fd));
    syscall(close(this.#directory));
  }
}
