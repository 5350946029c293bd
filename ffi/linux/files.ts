/**
 * Open files. Deno's permissions for files are not checked: `--allow-ffi` includes them all.
 *
 * @module
 */

import { Output } from "../call.ts";
import * as calls from "../calls/files.ts";
import { syscall, syscalls } from "../syscalls.ts";
import { type Fd, OwnedFd, raw } from "./owned_fd.ts";

/** The most bytes of one read or write; read(2) and write(2) may always transfer less. */
const MOST_AT_ONCE = 64 * 1024;

/**
 * Opens a file by its path from the working directory. See
 * [open(2)](https://man7.org/linux/man-pages/man2/open.2.html).
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, `EEXIST` with `O_EXCL`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * using zeros = linux.open("/dev/zero");
 * assertEquals(linux.read(zeros, new Uint8Array(10)), 10);
 * ```
 */
export function open(path: string, flags: number = calls.O_CLOEXEC, mode = 0): OwnedFd {
  return openat(calls.AT_FDCWD, path, flags, mode);
}

/**
 * Opens a file by its path from a directory. See
 * [openat(2)](https://man7.org/linux/man-pages/man2/open.2.html).
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, `EEXIST` with `O_EXCL`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using dev = linux.open("/dev", linux.O_PATH | linux.O_DIRECTORY | linux.O_CLOEXEC);
 * using nothing = linux.openat(dev, "null", linux.O_WRONLY | linux.O_CLOEXEC);
 * linux.write(nothing, new TextEncoder().encode("gone"));
 * ```
 */
export function openat(
  directory: Fd,
  path: string,
  flags: number = calls.O_CLOEXEC,
  mode = 0,
): OwnedFd {
  return new OwnedFd(syscall(calls.openat(raw(directory), path, flags, mode)));
}

/**
 * Opens a file, with restrictions on how its path is resolved. See
 * [openat2(2)](https://man7.org/linux/man-pages/man2/openat2.2.html). Linux 5.6.
 *
 * @throws {SyscallError} `EXDEV` if the path leaves the directory, `ELOOP` at a link that may not be
 * followed, `ENOENT`, `EACCES`; `EAGAIN` after 1024 lookups that others have disturbed
 * @tags allow-ffi
 *
 * @example A path that cannot leave its directory
 * ```ts
 * import { linux, SyscallError } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * using dev = linux.open("/dev", linux.O_PATH | linux.O_CLOEXEC);
 * const beneath = { flags: linux.O_CLOEXEC, resolve: linux.RESOLVE_BENEATH };
 * assertThrows(() => linux.openat2(dev, "../etc/passwd", beneath), SyscallError, "EXDEV");
 * ```
 */
export function openat2(directory: Fd, path: string, how: calls.OpenHow): OwnedFd {
  return new OwnedFd(syscall(calls.openat2(raw(directory), path, how), {
    EXDEV: "the path leaves the directory or the mount in which it has to stay",
  }));
}

/**
 * Closes a descriptor. See [close(2)](https://man7.org/linux/man-pages/man2/close.2.html).
 *
 * @throws {SyscallError} `EBADF` if the number is not open
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const root = linux.open("/");
 * linux.close(root);
 * ```
 */
export function close(fd: Fd): void {
  if (typeof fd === "number") syscall(calls.close(fd));
  else fd.close();
}

/**
 * Reads into a buffer, at most 64 KiB, and returns the number of bytes: 0 at the end. See
 * [read(2)](https://man7.org/linux/man-pages/man2/read.2.html).
 *
 * The thread waits until there is something to read, unless the descriptor is nonblocking.
 *
 * @throws {SyscallError} `EAGAIN`, `EINTR`, `EBADF`, `EISDIR`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * using nothing = linux.open("/dev/null");
 * assertEquals(linux.read(nothing, new Uint8Array(10)), 0);
 * ```
 */
export function read(fd: Fd, buffer: Uint8Array): number {
  const output = new Output(Math.min(buffer.length, MOST_AT_ONCE), "&buffer");
  const call = calls.read(raw(fd), output, output.size);
  const outcome = syscalls([{ call }]);
  const { buffer: memory, byteOffset } = outcome.output(output);
  const count = Number(outcome.result(call));
  buffer.set(new Uint8Array(memory, byteOffset, count));
  return count;
}

/**
 * Writes bytes, at most 64 KiB, and returns their number. See
 * [write(2)](https://man7.org/linux/man-pages/man2/write.2.html).
 *
 * @throws {SyscallError} `EAGAIN`, `EINTR`, `EBADF`, `EPIPE`, `ENOSPC`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * using file = linux.memfd_create("notes");
 * assertEquals(linux.write(file, new TextEncoder().encode("hello")), 5);
 * ```
 */
export function write(fd: Fd, bytes: Uint8Array<ArrayBuffer>): number {
  const part = bytes.subarray(0, MOST_AT_ONCE);
  return syscall(calls.write(raw(fd), part, part.length));
}

/**
 * Creates a pipe, and returns its end to read from and its end to write to. See
 * [pipe2(2)](https://man7.org/linux/man-pages/man2/pipe.2.html).
 *
 * @throws {SyscallError} `EMFILE` if this process has as many open files as it may
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = linux.pipe2();
 * linux.write(writer, new Uint8Array([42]));
 * linux.close(writer);
 * assertEquals(linux.read(reader, new Uint8Array(2)), 1);
 * linux.close(reader);
 * ```
 */
export function pipe2(flags: number = calls.O_CLOEXEC): [reader: OwnedFd, writer: OwnedFd] {
  const { output } = new calls.PipeEnds();
  const ends = syscalls([{ call: calls.pipe2(output, flags) }]).output(output);
  return [new OwnedFd(ends.getInt32(0, true)), new OwnedFd(ends.getInt32(4, true))];
}

/**
 * Creates a file that exists in memory only. See
 * [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html).
 *
 * @throws {SyscallError} `EMFILE`, `EINVAL` for a name of more than 249 bytes
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using file = linux.memfd_create("notes", linux.MFD_CLOEXEC | linux.MFD_ALLOW_SEALING);
 * ```
 */
export function memfd_create(name: string, flags = calls.MFD_CLOEXEC): OwnedFd {
  return new OwnedFd(syscall(calls.memfd_create(name, flags)));
}
