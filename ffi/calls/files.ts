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
  type ResultOf,
  type Slot,
  Struct,
} from "../call.ts";
import { at } from "./at.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK } from "./constants/events.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from "./constants/at.ts";
import {
  CLOSE_RANGE_CLOEXEC,
  CLOSE_RANGE_UNSHARE,
  F_OK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_NOEXEC_SEAL,
  R_OK,
  RENAME_NOREPLACE,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
  SPLICE_F_NONBLOCK,
  W_OK,
  X_OK,
} from "./constants/files.ts";
import { FCNTL_COMMANDS } from "./names/files.ts";
import { O_CLOEXEC, O_RDONLY, RESOLVE_BENEATH, RESOLVE_IN_ROOT } from "./constants/open.ts";
import { OPEN_FLAGS, RESOLVE_FLAGS } from "./names/open.ts";
import { IOCTL_REQUESTS } from "./names/terminals.ts";
import { words } from "./words.ts";

export { at_fdcwd } from "./at.ts";
export * from "./constants/at.ts";
export * from "./constants/files.ts";
export * from "./constants/open.ts";
export * from "./constants/terminals.ts";

/** Opens a file. See openat(2). */
export function openat(
  directory: Fd,
  path: string | Struct | Output | Slot,
  flagBits: number,
  fileMode = 0,
): Call {
  const named = flagBits === O_RDONLY ? new Named(0, "O_RDONLY") : flags(flagBits, OPEN_FLAGS);
  return call("openat", at(directory), path, named, mode(fileMode));
}

/** The arguments of openat2(2): struct open_how. */
export interface OpenHow {
  /** As for openat(2). */
  readonly flags: number;
  /** The mode of a new file. */
  readonly mode?: number;
  /** How the path is resolved: `RESOLVE_IN_ROOT` ... */
  readonly resolve?: number;
}

const OPEN_HOW_SIZE = 24;
const SPLICE_FLAGS = { SPLICE_F_NONBLOCK };

/**
 * Lookups that cannot leave a directory answer `EAGAIN` where they come to a `..`, as a symbolic link
 * may have it, while anything on the machine is renamed or mounted (openat2(2)). Whoever renames in a
 * loop makes one in twenty tries fail for one `..`, and three in four for fifty. Without a bound, a
 * long way could keep the script in its launch, which no timer of the script's interrupts.
 */
const SCOPED = RESOLVE_BENEATH | RESOLVE_IN_ROOT;

/** Opens a file, with restrictions on how its path is resolved. See openat2(2). */
export function openat2(directory: Fd, path: string | Output | Slot, how: OpenHow): Call {
  const { resolve = 0 } = how;
  const text = () =>
    `{${flags(how.flags, OPEN_FLAGS).text}, ${mode(how.mode ?? 0).text}, ` +
    `${flags(resolve, RESOLVE_FLAGS).text}}`;
  const struct = new Struct(words(how.flags, how.mode ?? 0, resolve), text);
  const opened = call("openat2", at(directory), path, struct, OPEN_HOW_SIZE);
  return (resolve & SCOPED) === 0 ? opened : { ...opened, retried: true };
}

/** Closes a descriptor. See close(2). */
export function close(fd: Fd): Call {
  return call("close", fd);
}

/** Closes a range of descriptors, or sets their close-on-exec flags. See close_range(2). */
export function close_range(first: number, last: number, flagBits: number): Call {
  const named = flags(flagBits, { CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC });
  return call("close_range", first, last === 0xffff_ffff ? new Named(last, "~0U") : last, named);
}

/** Duplicates a descriptor to a number. See dup3(2). */
export function dup3(from: Fd, to: number | ResultOf | Slot, flagBits: number): Call {
  return call("dup3", from, to, flags(flagBits, { O_CLOEXEC }));
}

/** Performs a command on a descriptor. See fcntl(2). */
export function fcntl(fd: Fd, command: number, argument: number): Call {
  return call("fcntl", fd, constant(command, FCNTL_COMMANDS), argument);
}

/** Performs a request on a device. See ioctl(2). */
export function ioctl(fd: Fd, request: number, argument: number | Struct | Output): Call {
  return call("ioctl", fd, constant(request, IOCTL_REQUESTS), argument);
}

/** Locks an open file until all copies of the descriptor are closed. See flock(2). */
export function flock(fd: Fd, operation: number): Call {
  return call("flock", fd, flags(operation, { LOCK_SH, LOCK_EX, LOCK_NB }));
}

/** Reads from a descriptor. See read(2). */
export function read(fd: Fd, buffer: Output, size: number | ResultOf): Call {
  return call("read", fd, buffer, size);
}

/** Writes to a descriptor. See write(2). */
export function write(
  fd: Fd,
  bytes: Uint8Array<ArrayBuffer> | Output,
  size: number | ResultOf,
): Call {
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

/** Moves the offset of an open file. See lseek(2). */
export function lseek(fd: Fd, offset: number, whence: number): Call {
  return call("lseek", fd, offset, constant(whence, { SEEK_SET, SEEK_CUR, SEEK_END }));
}

/**
 * Moves data between a pipe and another file. See splice(2).
 *
 * @param offset where to read in place of the file's own offset, which then stays; it moves on
 */
export function splice(
  from: Fd,
  to: Fd,
  size: number | ResultOf,
  { offset, flags: flagBits = 0 }: { readonly offset?: Output; readonly flags?: number } = {},
): Call {
  return call("splice", from, offset ?? null, to, null, size, flags(flagBits, SPLICE_FLAGS));
}

/** Puts into a pipe what another pipe holds, and leaves it there. See tee(2). */
export function tee(from: Fd, to: Fd, size: number, flagBits = 0): Call {
  return call("tee", from, to, size, flags(flagBits, SPLICE_FLAGS));
}

/** Sets the size of an open file. See ftruncate(2). */
export function ftruncate(fd: Fd, size: number): Call {
  return call("ftruncate", fd, size);
}

/** Creates a pipe; its ends are two 32-bit numbers, to read and to write. See pipe2(2). */
export function pipe2(ends: Output, flagBits: number): Call {
  return call("pipe2", ends, flags(flagBits, OPEN_FLAGS));
}

/** Memory for the ends of a pipe, and each end as an argument of later calls. */
export class PipeEnds {
  readonly output: Output = new Output(8, "&pipe");
  readonly reader: OutputField = new OutputField(this.output, 0, "pipe[0]");
  readonly writer: OutputField = new OutputField(this.output, 4, "pipe[1]");
}

/** Creates a directory. See mkdirat(2). */
export function mkdirat(directory: Fd, path: string | Struct, fileMode: number): Call {
  return call("mkdirat", at(directory), path, mode(fileMode));
}

/** Creates a device file, a named pipe or an empty file. See mknodat(2). */
export function mknodat(directory: Fd, path: string, fileMode: number, device: number): Call {
  return call("mknodat", at(directory), path, mode(fileMode), device);
}

/** The kernel's number of a device (include/linux/kdev_t.h, new_encode_dev). */
export function makedev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Creates a symbolic link. See symlinkat(2). */
export function symlinkat(target: string, directory: Fd, path: string): Call {
  return call("symlinkat", target, at(directory), path);
}

/** Removes a file, or with `AT_REMOVEDIR` a directory. See unlinkat(2). */
export function unlinkat(directory: Fd, path: string | Struct, flagBits: number): Call {
  return call("unlinkat", at(directory), path, flags(flagBits, { AT_REMOVEDIR }));
}

/** Renames a file; flags can refuse to replace one. See renameat2(2). */
export function renameat2(
  from: Fd,
  path: string,
  to: Fd,
  newPath: string,
  flagBits: number,
): Call {
  return call("renameat2", at(from), path, at(to), newPath, flags(flagBits, { RENAME_NOREPLACE }));
}

/** Reads the target of a symbolic link, without a NUL at its end. See readlinkat(2). */
export function readlinkat(directory: Fd, path: string | Output, target: Output): Call {
  return call("readlinkat", at(directory), path, target, target.size);
}

/** Checks whether the process may read, write or execute a file. See access(2). */
export function faccessat(directory: Fd, path: string | Slot, rights: number): Call {
  const named = rights === F_OK ? new Named(F_OK, "F_OK") : flags(rights, { R_OK, W_OK, X_OK });
  return call("faccessat", at(directory), path, named);
}

/** Changes the mode of a file. See fchmodat(2). */
export function fchmodat(directory: Fd, path: string, fileMode: number | OutputField): Call {
  const given = typeof fileMode === "number" ? mode(fileMode) : fileMode;
  return call("fchmodat", at(directory), path, given);
}

/** Changes the owner of a file, or with `AT_SYMLINK_NOFOLLOW` of a link itself. See fchownat(2). */
export function fchownat(
  directory: Fd,
  path: string,
  uid: number,
  gid: number,
  flagBits = 0,
): Call {
  return call("fchownat", at(directory), path, uid, gid, flags(flagBits, { AT_SYMLINK_NOFOLLOW }));
}

/** Changes the owner of an open file. See fchown(2). */
export function fchown(fd: Fd, uid: number, gid: number): Call {
  return call("fchown", fd, uid, gid);
}

/** Changes the mode of an open file. See fchmod(2). */
export function fchmod(fd: Fd, fileMode: number): Call {
  return call("fchmod", fd, mode(fileMode));
}

/** Returns the working directory, with a NUL at its end. See getcwd(2). */
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

/** Sets the bits that are cleared in the modes of new files. See umask(2). */
export function umask(mask: number | ResultOf): Call {
  return call("umask", typeof mask === "number" ? mode(mask) : mask);
}

/** Creates a file that exists in memory only. See memfd_create(2). */
export function memfd_create(name: string, flagBits: number): Call {
  return call(
    "memfd_create",
    name,
    flags(flagBits, { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC }),
  );
}

/** Creates a descriptor that holds a counter. See eventfd(2). */
export function eventfd2(value: number | Fd, flagBits: number): Call {
  return call("eventfd2", value, flags(flagBits, { EFD_CLOEXEC, EFD_NONBLOCK }));
}
