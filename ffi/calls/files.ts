/**
 * Files, directories and descriptors. See openat(2), openat2(2), path_resolution(7).
 *
 * @module
 */

import {
  type Call,
  call,
  constant,
  type Fd,
  flags,
  mode,
  Named,
  Output,
  OutputField,
  type Slot,
  Struct,
} from "../call.ts";
import { at } from "./at.ts";
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
} from "./constants/at.ts";
import {
  CLOSE_RANGE_CLOEXEC,
  CLOSE_RANGE_UNSHARE,
  F_OK,
  FCNTL_COMMANDS,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_NOEXEC_SEAL,
  R_OK,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
  W_OK,
  X_OK,
} from "./constants/files.ts";
import { O_CLOEXEC, O_RDONLY, OPEN_FLAGS, RESOLVE_FLAGS } from "./constants/open.ts";
import { IOCTL_REQUESTS } from "./constants/terminals.ts";

export { at_fdcwd } from "./at.ts";
export * from "./constants/at.ts";
export * from "./constants/files.ts";
export * from "./constants/open.ts";
export * from "./constants/terminals.ts";

/** Opens a file. See openat(2). */
export function openat(directory: Fd, path: string | Slot, flagBits: number, fileMode = 0): Call {
  const named = flagBits === O_RDONLY ? new Named(0, "O_RDONLY") : flags(flagBits, OPEN_FLAGS);
  return call("openat", at(directory), path, named, mode(fileMode));
}

/** What openat2(2) takes: struct open_how. */
export interface OpenHow {
  /** As for openat(2). */
  readonly flags: number;
  /** The mode of a file that is made. */
  readonly mode?: number;
  /** How the path is resolved: `RESOLVE_IN_ROOT` ... */
  readonly resolve?: number;
}

const OPEN_HOW_SIZE = 24;

/** Opens a file, with a say in how its path is resolved. See openat2(2). */
export function openat2(directory: Fd, path: string | Output | Slot, how: OpenHow): Call {
  const { resolve = 0 } = how;
  const words = new BigUint64Array([how.flags, how.mode ?? 0, resolve].map(BigInt));
  const text = () =>
    `{${flags(how.flags, OPEN_FLAGS).text}, ${mode(how.mode ?? 0).text}, ` +
    `${flags(resolve, RESOLVE_FLAGS).text}}`;
  const struct = new Struct(new Uint8Array(words.buffer), text);
  return call("openat2", at(directory), path, struct, OPEN_HOW_SIZE);
}

/** Closes a descriptor. See close(2). */
export function close(fd: Fd): Call {
  return call("close", fd);
}

/** Closes descriptors, or has execve(2) close them. See close_range(2). */
export function close_range(first: number, last: number, flagBits: number): Call {
  const named = flags(flagBits, { CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC });
  return call("close_range", first, last === 0xffff_ffff ? new Named(last, "~0U") : last, named);
}

/** Makes a descriptor another name of an open file. See dup3(2). */
export function dup3(from: Fd, to: number | Slot, flagBits: number): Call {
  return call("dup3", from, to, flags(flagBits, { O_CLOEXEC }));
}

/** Does one of many things to a descriptor. See fcntl(2). */
export function fcntl(fd: Fd, command: number, argument: number): Call {
  return call("fcntl", fd, constant(command, FCNTL_COMMANDS), argument);
}

/** Does one of many things to a device. See ioctl(2). */
export function ioctl(fd: Fd, request: number, argument: number | Struct | Output): Call {
  return call("ioctl", fd, constant(request, IOCTL_REQUESTS), argument);
}

/** Reads from a descriptor. See read(2). */
export function read(fd: Fd, buffer: Output, size: number): Call {
  return call("read", fd, buffer, size);
}

/** Writes to a descriptor. See write(2). */
export function write(fd: Fd, bytes: Uint8Array<ArrayBuffer> | Output, size: number): Call {
  return call("write", fd, bytes, size);
}

/** Writes at an offset. See pwrite(2). */
export function pwrite64(fd: Fd, bytes: Uint8Array<ArrayBuffer>, size: number, at: number): Call {
  return call("pwrite64", fd, bytes, size, at);
}

/** Reads at an offset. See pread(2). */
export function pread64(fd: Fd, buffer: Output, size: number, offset: number): Call {
  return call("pread64", fd, buffer, size, offset);
}

/** Moves to an offset, and tells it. See lseek(2). */
export function lseek(fd: Fd, offset: number, whence: number): Call {
  return call("lseek", fd, offset, constant(whence, { SEEK_SET, SEEK_CUR, SEEK_END }));
}

/** Sets the size of an open file. See ftruncate(2). */
export function ftruncate(fd: Fd, size: number): Call {
  return call("ftruncate", fd, size);
}

/** Makes a pipe; its ends are two 32-bit numbers, to read and to write. See pipe2(2). */
export function pipe2(ends: Output, flagBits: number): Call {
  return call("pipe2", ends, flags(flagBits, OPEN_FLAGS));
}

/** Memory for the ends of a pipe, and each end as an argument of later calls. */
export class PipeEnds {
  readonly output: Output = new Output(8, "&pipe");
  readonly reader: OutputField = new OutputField(this.output, 0, "pipe[0]");
  readonly writer: OutputField = new OutputField(this.output, 4, "pipe[1]");
}

/** Makes a directory. See mkdirat(2). */
export function mkdirat(directory: Fd, path: string, fileMode: number): Call {
  return call("mkdirat", at(directory), path, mode(fileMode));
}

/** Makes a device file, a named pipe or an empty file. See mknodat(2). */
export function mknodat(directory: Fd, path: string, fileMode: number, device: number): Call {
  return call("mknodat", at(directory), path, mode(fileMode), device);
}

/** The kernel's number of a device (include/linux/kdev_t.h, new_encode_dev). */
export function makedev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Makes a symbolic link. See symlinkat(2). */
export function symlinkat(target: string, directory: Fd, path: string): Call {
  return call("symlinkat", target, at(directory), path);
}

/** Removes a file, or with `AT_REMOVEDIR` a directory. See unlinkat(2). */
export function unlinkat(directory: Fd, path: string, flagBits: number): Call {
  return call("unlinkat", at(directory), path, flags(flagBits, { AT_REMOVEDIR }));
}

/** Makes another name of a file. See linkat(2). */
export function linkat(
  fromDirectory: Fd,
  from: string,
  toDirectory: Fd,
  to: string,
  flagBits: number,
): Call {
  const named = flags(flagBits, { AT_SYMLINK_FOLLOW, AT_EMPTY_PATH });
  return call("linkat", at(fromDirectory), from, at(toDirectory), to, named);
}

/** Gives a file another name. See renameat2(2). */
export function renameat2(
  fromDirectory: Fd,
  from: string,
  toDirectory: Fd,
  to: string,
  flagBits: number,
): Call {
  const named = flags(flagBits, { RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT });
  return call("renameat2", at(fromDirectory), from, at(toDirectory), to, named);
}

/** Tells where a symbolic link points; not ended by NUL. See readlinkat(2). */
export function readlinkat(directory: Fd, path: string, target: Output): Call {
  return call("readlinkat", at(directory), path, target, target.size);
}

/** Asks whether the process may read, write, execute. See access(2). */
export function faccessat(directory: Fd, path: string | Slot, rights: number): Call {
  const named = rights === F_OK ? new Named(F_OK, "F_OK") : flags(rights, { R_OK, W_OK, X_OK });
  return call("faccessat", at(directory), path, named);
}

/** Changes the mode of a file. See fchmodat(2). */
export function fchmodat(directory: Fd, path: string, fileMode: number): Call {
  return call("fchmodat", at(directory), path, mode(fileMode));
}

/** Changes the owner and group of a file; -1 leaves one as it is. See fchownat(2). */
export function fchownat(
  directory: Fd,
  path: string,
  uid: number,
  gid: number,
  flagBits: number,
): Call {
  const named = flags(flagBits, { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
  return call("fchownat", at(directory), path, uid, gid, named);
}

/** Changes the mode of an open file. See fchmod(2). */
export function fchmod(fd: Fd, fileMode: number): Call {
  return call("fchmod", fd, mode(fileMode));
}

/** Tells the working directory, ended by NUL. See getcwd(2). */
export function getcwd(path: Output): Call {
  return call("getcwd", path, path.size);
}

/** Changes the working directory. See chdir(2). */
export function chdir(path: string | Output): Call {
  return call("chdir", path);
}

/** Changes the working directory to an open directory. See fchdir(2). */
export function fchdir(fd: Fd): Call {
  return call("fchdir", fd);
}

/** Sets the bits that the modes of new files lose. See umask(2). */
export function umask(mask: number): Call {
  return call("umask", mode(mask));
}

/** Makes a file that exists in memory only. See memfd_create(2). */
export function memfd_create(name: string, flagBits: number): Call {
  return call(
    "memfd_create",
    name,
    flags(flagBits, { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC }),
  );
}

/** Makes a descriptor that holds a number. See eventfd(2). */
export function eventfd2(value: number | Fd, flagBits: number): Call {
  return call("eventfd2", value, flagBits);
}
