/**
 * What a program with a root of its own gets of a standard stream of the script's. An open file of the
 * host would be a way around that root: /proc/self/fd opens it again, to read and to write, and a
 * directory leads to the files beside it (CVE-2024-21626).
 *
 * @module
 */

import { type Call, Output } from "../ffi/call.ts";
import {
  AT_EMPTY_PATH,
  F_GETFL,
  F_GETPIPE_SZ,
  fcntl,
  ioctl,
  makedev,
  O_PATH,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFSOCK,
  TCGETS,
  TIOCGSID,
} from "../ffi/calls/files.ts";
import {
  AF_UNIX,
  getpeername,
  getSocketOption,
  SO_DOMAIN,
  SO_TYPE,
  SOCK_DGRAM,
} from "../ffi/calls/sockets.ts";
import { fstatfs, readStatfs, statfsOutput } from "../ffi/calls/statfs.ts";
import {
  readStatx,
  type Statx,
  statx,
  STATX_BASIC_STATS,
  statxOutput,
} from "../ffi/calls/statx.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { RamekinError, SyscallError } from "../ffi/errors.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/** How the program gets the stream: as it is, as its own /dev/null, or as a copy of this file. */
export type Handover = "inherit" | "null" | { readonly copyOf: string };

/**
 * Returns how the program gets a descriptor of the script's.
 *
 * @param input the script's descriptor that is the program's standard input
 * @param name what it is of the program's
 * @throws {RamekinError} for a directory, a socket without a connection, and what only names a file
 */
export function handoverOf(fd: number, input: number | undefined, name: string): Handover {
  const status = statusOf(fd);
  if (status === undefined) return "inherit";
  const { mode, rdev, dev, ino } = status;
  switch (mode & S_IFMT) {
    case S_IFIFO:
      // Both ends of a pipe can be opened by /proc/self/fd; they lead to nothing but its own data.
      if (isNameless(fd)) return "inherit";
      break;
    case S_IFSOCK:
      if (!isConnection(fd)) {
        throw new RamekinError(
          `${name} is a socket without a connection, by which the program would reach sockets outside ` +
            "of its root; give it a pipe or a connection, or /dev/null",
        );
      }
      // A connection of TCP can be made anew to others, in the network that the socket is of.
      if (optionOf(fd, SO_DOMAIN) === AF_UNIX) return "inherit";
      break;
    case S_IFDIR:
      throw new RamekinError(
        `${name} is a directory, by which the program would reach files outside of its root; ` +
          "redirect it from a file, or from /dev/null",
      );
    case S_IFCHR:
      if (rdev === DEV_NULL) return "null";
      if (input !== undefined && isTerminal(fd) && isSameTerminal(fd, input)) return "inherit";
  }
  if ((syscall(fcntl(fd, F_GETFL, 0)) & O_PATH) !== 0) {
    throw new RamekinError(
      `${name} is opened with O_PATH, and can be neither read nor written; open it to read or write`,
    );
  }
  return { copyOf: `${dev}:${ino}` };
}

/** Whether the descriptor is a pipe, with a name or without. */
export function isPipe(fd: number): boolean {
  return succeeds(fcntl(fd, F_GETPIPE_SZ, 0), "EBADF");
}

/** Whether a pipe has no name: the others have a mode and times that all users of the host see. */
function isNameless(pipe: number): boolean {
  const state = statfsOutput();
  return readStatfs(syscalls([{ call: fstatfs(pipe, state) }]).output(state)).type === PIPEFS;
}

/** Whether a socket has a connection. Those of datagrams can send to others even so (unix(7)). */
function isConnection(socket: number): boolean {
  return optionOf(socket, SO_TYPE) !== SOCK_DGRAM && succeeds(getpeername(socket), "ENOTCONN");
}

function optionOf(socket: number, option: number): number {
  const value = new Output(4);
  const call = getSocketOption(socket, option, value);
  return syscalls([{ call }]).output(value).getInt32(0, true);
}

/** Whether two terminals are one: by the same file, or as the one that controls the session. */
function isSameTerminal(fd: number, other: number): boolean {
  const [one, two] = [statusOf(fd), statusOf(other)];
  if (one?.dev === two?.dev && one?.ino === two?.ino) return true;
  const session = sessionOf(fd);
  return session !== undefined && session === sessionOf(other);
}

/** The session that a terminal controls, if it is this one (or the terminal is the master of it). */
function sessionOf(terminal: number): number | undefined {
  const session = new Output(4);
  const call = ioctl(terminal, TIOCGSID, session);
  const outcome = syscalls([{ call, accept: ["ENOTTY", "EIO"] }]);
  return outcome.result(call) === 0n ? outcome.output(session).getInt32(0, true) : undefined;
}

/** Whether the descriptor is a terminal. */
export function isTerminal(fd: number): boolean {
  return succeeds(ioctl(fd, TCGETS, new Output(TERMIOS_SIZE)), "ENOTTY");
}

/** Whether the call succeeds; it usually fails with that errno, of which no error has to be made. */
function succeeds(call: Call, usual: ErrnoName): boolean {
  try {
    return syscalls([{ call, accept: [usual] }]).result(call) >= 0n;
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

/** The device 1:3, which is /dev/null (Documentation/admin-guide/devices.txt). */
const DEV_NULL = makedev(1, 3);
/** PIPEFS_MAGIC (linux/magic.h). */
const PIPEFS = 0x50495045;
/** The size of struct termios of the kernel. */
const TERMIOS_SIZE = 36;
