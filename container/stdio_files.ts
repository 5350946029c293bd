/**
 * Opens the files that become standard streams of a program, as a shell's redirection does.
 *
 * @module
 */

import { AT_EMPTY_PATH } from "../ffi/calls/constants/at.ts";
import {
  at_fdcwd,
  close,
  F_SETFL,
  fcntl,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  openat,
  S_IFIFO,
  S_IFMT,
} from "../ffi/calls/files.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../ffi/calls/statx.ts";
import { escapeControls } from "../ffi/control_characters.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { pathOf } from "./command_paths.ts";

/**
 * Opens a file for a program's standard input.
 *
 * @throws {SyscallError} if it cannot be opened
 * @throws {TypeError} for a named pipe
 */
export function openInput(path: string | URL): number {
  return open(pathOf(path), O_RDONLY, "stdin");
}

/**
 * Opens a file for a program's output, and makes it if there is none.
 *
 * @throws {SyscallError} if it cannot be opened
 * @throws {TypeError} for a named pipe
 */
export function openOutput(path: string | URL, append: boolean, stream: string): number {
  return open(pathOf(path), O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), stream);
}

function open(path: string, flags: number, stream: string): number {
  // To open a named pipe would block the script until another process opens it too (fifo(7)).
  const call = openat(at_fdcwd, path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o666);
  const fd = syscall(call, {
    ENOENT: `the file for the program's ${stream}, or a directory on the way, does not exist`,
    EACCES: `this user may not open the file for the program's ${stream}`,
    EISDIR: `a directory cannot be a program's ${stream}`,
    ENXIO: NAMED_PIPE,
  });
  try {
    if (isNamedPipe(fd)) {
      throw new TypeError(escapeControls(`${path} is a named pipe: ${NAMED_PIPE}`));
    }
    syscall(fcntl(fd, F_SETFL, flags & O_APPEND));
    return fd;
  } catch (error) {
    syscall(close(fd));
    throw error;
  }
}

const NAMED_PIPE =
  "it has to be opened by both sides at once; open it with Deno.open(), and give " +
  "the program that file";

function isNamedPipe(fd: number): boolean {
  const stat = statxOutput();
  const call = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, stat);
  const { mode } = readStatx(syscalls([{ call }]).output(stat));
  return (mode & S_IFMT) === S_IFIFO;
}
