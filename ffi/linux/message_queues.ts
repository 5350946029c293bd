/**
 * POSIX message queues, in the ipc namespace of the calling thread. See
 * [mq_overview(7)](https://man7.org/linux/man-pages/man7/mq_overview.7.html).
 *
 * @module
 */

import { Output } from "../call.ts";
import * as calls from "../calls/message_queues.ts";
import { syscall, syscalls } from "../syscalls.ts";
import { type Fd, OwnedFd, raw } from "./owned_fd.ts";

const SLASH = "the name of a queue has one slash, which is its first character";
const LIMITS =
  "this process has as many open files as it may (ulimit -n), or this user's queues are " +
  "as large as they may be (ulimit -q)";

/**
 * Opens a queue, or creates it with `O_CREAT`: for ten messages of at most 8192 bytes. See
 * [mq_open(3)](https://man7.org/linux/man-pages/man3/mq_open.3.html).
 *
 * @param name starts with `/`
 *
 * @throws {SyscallError} `ENOENT` if no queue has this name, `EEXIST`, `EACCES`, `EMFILE` if this
 * user's queues are as large as they may be
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const name = `/orders-${Deno.pid}`;
 * using queue = linux.mq_open(name, linux.O_CREAT | linux.O_RDWR, 0o600);
 * linux.mq_unlink(name);
 * ```
 */
export function mq_open(name: string, flags: number, mode = 0): OwnedFd {
  const hints = { EACCES: SLASH, EMFILE: LIMITS };
  return new OwnedFd(syscall(calls.mq_open(withoutSlash(name), flags, mode), hints));
}

/**
 * Removes the name of a queue; the queue is destroyed when no process has it open. See
 * [mq_unlink(3)](https://man7.org/linux/man-pages/man3/mq_unlink.3.html).
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux, SyscallError } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => linux.mq_unlink("/no-such-queue"), SyscallError, "ENOENT");
 * ```
 */
export function mq_unlink(name: string): void {
  syscall(calls.mq_unlink(withoutSlash(name)), { EACCES: SLASH });
}

/**
 * Adds a message to a queue. The thread waits while the queue is full, unless it was opened with
 * `O_NONBLOCK`. See [mq_send(3)](https://man7.org/linux/man-pages/man3/mq_send.3.html).
 *
 * @throws {SyscallError} `EMSGSIZE` if the message is too long for the queue, `EAGAIN`, `EBADF`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const name = `/orders-${Deno.pid}`;
 * using queue = linux.mq_open(name, linux.O_CREAT | linux.O_RDWR, 0o600);
 * linux.mq_unlink(name);
 * linux.mq_send(queue, new TextEncoder().encode("soup"));
 * assertEquals(new TextDecoder().decode(linux.mq_receive(queue)), "soup");
 * ```
 */
export function mq_send(queue: Fd, message: Uint8Array<ArrayBuffer>, priority = 0): void {
  syscall(calls.mq_timedsend(raw(queue), message, priority));
}

/**
 * Removes the oldest message of the highest priority from a queue, and returns it. The thread waits
 * while there is none, unless the queue was opened with `O_NONBLOCK`. See
 * [mq_receive(3)](https://man7.org/linux/man-pages/man3/mq_receive.3.html).
 *
 * @throws {SyscallError} `EAGAIN`, `EBADF`, `EMSGSIZE` if messages of the queue may have more than
 * 8192 bytes
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux, SyscallError } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * const name = `/orders-${Deno.pid}`;
 * using queue = linux.mq_open(name, linux.O_CREAT | linux.O_RDWR | linux.O_NONBLOCK, 0o600);
 * linux.mq_unlink(name);
 * assertThrows(() => linux.mq_receive(queue), SyscallError, "EAGAIN");
 * ```
 */
export function mq_receive(queue: Fd): Uint8Array<ArrayBuffer> {
  const message = new Output(calls.MESSAGE_SIZE, "&message");
  const call = calls.mq_timedreceive(raw(queue), message);
  const outcome = syscalls([{ call }]);
  const { buffer, byteOffset } = outcome.output(message);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, Number(outcome.result(call))).slice();
}

/** The C library removes the slash; the kernel expects none. */
function withoutSlash(name: string): string {
  return name.replace(/^\//, "");
}
