/**
 * Names in directories, and the working directory. The working directory, the root and the umask are
 * shared by all threads of a process, unless the thread has called `unshare(CLONE_FS)`.
 *
 * @module
 */

import { Output } from "../call.ts";
import * as calls from "../calls/files.ts";
import {
  readStatx,
  type Statx,
  statx as statxCall,
  STATX_BASIC_STATS,
  STATX_MNT_ID,
  statxOutput,
} from "../calls/statx.ts";
import { syscall, syscalls } from "../syscalls.ts";
import { type Fd, raw } from "./owned_fd.ts";

// The longest path, its NUL included (linux/limits.h).
const PATH_MAX = 4096;

/**
 * Changes the working directory. See
 * [chdir(2)](https://man7.org/linux/man-pages/man2/chdir.2.html).
 *
 * @throws {SyscallError} `ENOENT`, `ENOTDIR`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * linux.chdir(".");
 * ```
 */
export function chdir(path: string): void {
  syscall(calls.chdir(path));
}

/**
 * Changes the working directory to an open directory. See
 * [fchdir(2)](https://man7.org/linux/man-pages/man2/chdir.2.html).
 *
 * @throws {SyscallError} `EBADF`, `ENOTDIR`, `EACCES`
 * @tags allow-ffi
 *
 * @example There, and back
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using here = linux.open(".", linux.O_PATH | linux.O_CLOEXEC);
 * linux.chdir("/");
 * linux.fchdir(here);
 * ```
 */
export function fchdir(fd: Fd): void {
  syscall(calls.fchdir(raw(fd)));
}

/**
 * Returns the working directory, as the kernel has it. See
 * [getcwd(2)](https://man7.org/linux/man-pages/man2/getcwd.2.html).
 *
 * @throws {SyscallError} `ENOENT` if it was removed
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.getcwd(), Deno.cwd());
 * ```
 */
export function getcwd(): string {
  const path = new Output(PATH_MAX, "&path");
  const call = calls.getcwd(path);
  const outcome = syscalls([{ call }]);
  return text(outcome.output(path), Number(outcome.result(call)) - 1);
}

/**
 * Sets the bits that are cleared in the modes of new files, and returns the old ones. See
 * [umask(2)](https://man7.org/linux/man-pages/man2/umask.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const old = linux.umask(0o077);
 * linux.umask(old);
 * ```
 */
export function umask(mask: number): number {
  return syscall(calls.umask(mask));
}

/**
 * Creates a directory, by its path from the working directory. See
 * [mkdir(2)](https://man7.org/linux/man-pages/man2/mkdir.2.html).
 *
 * @throws {SyscallError} `EEXIST`, `ENOENT`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux, SyscallError } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => linux.mkdir("/", 0o755), SyscallError, "EEXIST");
 * ```
 */
export function mkdir(path: string, mode = 0o777): void {
  mkdirat(calls.AT_FDCWD, path, mode);
}

/**
 * Creates a directory, by its path from another directory. See
 * [mkdirat(2)](https://man7.org/linux/man-pages/man2/mkdir.2.html).
 *
 * @throws {SyscallError} `EEXIST`, `ENOENT`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function makeHidden(directory: linux.Fd): void {
 *   linux.mkdirat(directory, ".hidden", 0o700);
 * }
 * ```
 */
export function mkdirat(directory: Fd, path: string, mode = 0o777): void {
  syscall(calls.mkdirat(raw(directory), path, mode));
}

/**
 * Creates a device file, a named pipe or an empty file. See
 * [mknodat(2)](https://man7.org/linux/man-pages/man2/mknod.2.html).
 *
 * @throws {SyscallError} `EPERM` for a device, without CAP_MKNOD or in a user namespace; `EEXIST`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function makeNull(directory: linux.Fd): void {
 *   linux.mknodat(directory, "null", linux.S_IFCHR | 0o666, linux.makedev(1, 3));
 * }
 * ```
 */
export function mknodat(directory: Fd, path: string, mode: number, device = 0): void {
  syscall(calls.mknodat(raw(directory), path, mode, device), {
    EPERM:
      "creating a device file takes CAP_MKNOD outside of user namespaces; a bind mount of one " +
      "does not",
  });
}

/**
 * Returns the number of a device, for {@linkcode mknodat}. See
 * [makedev(3)](https://man7.org/linux/man-pages/man3/makedev.3.html). Cannot fail.
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.makedev(1, 3), 0x103);
 * ```
 */
export function makedev(major: number, minor: number): number {
  return calls.makedev(major, minor);
}

/**
 * Creates a symbolic link. See
 * [symlinkat(2)](https://man7.org/linux/man-pages/man2/symlink.2.html).
 *
 * @throws {SyscallError} `EEXIST`, `ENOENT`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function linkDescriptors(directory: linux.Fd): void {
 *   linux.symlinkat("/proc/self/fd", directory, "fd");
 * }
 * ```
 */
export function symlinkat(target: string, directory: Fd, path: string): void {
  syscall(calls.symlinkat(target, raw(directory), path));
}

/**
 * Returns the target of a symbolic link. See
 * [readlinkat(2)](https://man7.org/linux/man-pages/man2/readlink.2.html).
 *
 * @throws {SyscallError} `ENOENT`, `EINVAL` if it is not a symbolic link
 * @tags allow-ffi
 *
 * @example The namespace of a thread
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertMatch } from "@std/assert";
 *
 * assertMatch(linux.readlinkat(linux.AT_FDCWD, "/proc/thread-self/ns/uts"), /^uts:\[\d+\]$/);
 * ```
 */
export function readlinkat(directory: Fd, path: string): string {
  const target = new Output(PATH_MAX, "&target");
  const call = calls.readlinkat(raw(directory), path, target);
  const outcome = syscalls([{ call }]);
  return text(outcome.output(target), Number(outcome.result(call)));
}

/**
 * Removes a file, or with `AT_REMOVEDIR` an empty directory. See
 * [unlinkat(2)](https://man7.org/linux/man-pages/man2/unlink.2.html).
 *
 * @throws {SyscallError} `ENOENT`, `EISDIR`, `ENOTEMPTY`, `EBUSY` if it is a mount point
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function removeEmpty(path: string): void {
 *   linux.unlinkat(linux.AT_FDCWD, path, linux.AT_REMOVEDIR);
 * }
 * ```
 */
export function unlinkat(directory: Fd, path: string, flags = 0): void {
  syscall(calls.unlinkat(raw(directory), path, flags), {
    EISDIR: "it is a directory; remove it with linux.AT_REMOVEDIR",
  });
}

/**
 * Returns the status of a file. See [statx(2)](https://man7.org/linux/man-pages/man2/statx.2.html).
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const { mode } = linux.statx(linux.AT_FDCWD, "/");
 * assertEquals(mode & linux.S_IFMT, linux.S_IFDIR);
 * ```
 */
export function statx(
  directory: Fd,
  path: string,
  flags = 0,
  mask: number = STATX_BASIC_STATS | STATX_MNT_ID,
): Statx {
  const status = statxOutput();
  const call = statxCall(raw(directory), path, flags, mask, status);
  return readStatx(syscalls([{ call }]).output(status));
}

function text(view: DataView, length: number): string {
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset, length));
}
