/**
 * What a program with a root of its own gets of a standard stream that it inherits. An open file of
 * the host would be a way around that root: /proc/self/fd opens it again, to read and to write, and a
 * directory leads to the files beside it (CVE-2024-21626).
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import {
  AT_EMPTY_PATH,
  ioctl,
  makedev,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFSOCK,
  TCGETS,
} from "../ffi/calls/files.ts";
import {
  readStatx,
  type Statx,
  statx,
  STATX_BASIC_STATS,
  statxOutput,
} from "../ffi/calls/statx.ts";
import { RamekinError, SyscallError } from "../ffi/errors.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/** How the program gets the stream: as it is, as its own /dev/null, or as a copy of this file. */
export type Handover = "inherit" | "null" | { readonly copyOf: string };

/**
 * Returns how the program gets a stream of the script's.
 *
 * @param readsTerminal whether the script's terminal is its standard input
 * @throws {RamekinError} for a directory
 */
export function handoverOf(fd: number, readsTerminal: boolean): Handover {
  const status = statusOf(fd);
  if (status === undefined) return "inherit";
  const { mode, rdev, dev, ino } = status;
  switch (mode & S_IFMT) {
    // Both ends of a pipe can be opened by /proc/self/fd; they lead to nothing but its own data.
    case S_IFIFO:
    case S_IFSOCK:
      return "inherit";
    case S_IFDIR:
      throw new RamekinError(
        `${
          NAMES[fd]
        } is a directory, by which the program would reach files outside of its root; ` +
          "redirect it from a file, or from /dev/null",
      );
    case S_IFCHR:
      if (rdev === DEV_NULL) return "null";
      if (isTerminal(fd) && (fd === 0 || readsTerminal)) return "inherit";
  }
  return { copyOf: `${dev}:${ino}` };
}

/** Whether the descriptor is a terminal. */
export function isTerminal(fd: number): boolean {
  try {
    syscall(ioctl(fd, TCGETS, new Output(TERMIOS_SIZE)));
    return true;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return false;
  }
}

/** The status of an open file; `undefined` if the descriptor is closed. */
function statusOf(fd: number): Statx | undefined {
  const stat = statxOutput();
  try {
    const call = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, stat);
    return readStatx(syscalls([{ call }]).output(stat));
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EBADF") return undefined;
    throw error;
  }
}

const NAMES = ["stdin", "stdout", "stderr"] as const;
/** The device 1:3, which is /dev/null (Documentation/admin-guide/devices.txt). */
const DEV_NULL = makedev(1, 3);
/** The size of struct termios of the kernel. */
const TERMIOS_SIZE = 36;
