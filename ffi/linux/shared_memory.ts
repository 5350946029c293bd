/**
 * System V shared memory, in the ipc namespace of the calling thread. See
 * [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html).
 *
 * @module
 */

import * as calls from "../calls/shared_memory.ts";
import { syscall, syscalls } from "../syscalls.ts";

/**
 * Returns the id of the shared memory of a key. With `IPC_CREAT` and permission bits among the flags,
 * creates it. See [shmget(2)](https://man7.org/linux/man-pages/man2/shmget.2.html).
 *
 * @param size in bytes, of a new segment
 *
 * @throws {SyscallError} `ENOENT` if the key has no segment, `EEXIST`, `EACCES`, `ENOSPC`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const id = linux.shmget(linux.IPC_PRIVATE, 4096, linux.IPC_CREAT | 0o600);
 * linux.shmctl(id, linux.IPC_RMID);
 * ```
 */
export function shmget(key: number, size: number, flags = 0): number {
  return syscall(calls.shmget(key, size, flags), {
    ENOENT: "the key has no segment; linux.IPC_CREAT creates it",
  });
}

/**
 * Attaches shared memory, and returns its address, for `Deno.UnsafePointerView`. See
 * [shmat(2)](https://man7.org/linux/man-pages/man2/shmop.2.html).
 *
 * @throws {SyscallError} `EINVAL` if no segment has this id, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const id = linux.shmget(linux.IPC_PRIVATE, 4096, linux.IPC_CREAT | 0o600);
 * const address = linux.shmat(id);
 * const pointer = Deno.UnsafePointer.create(address)!;
 * new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, 4096))[0] = 42;
 * linux.shmdt(address);
 * linux.shmctl(id, linux.IPC_RMID);
 * ```
 */
export function shmat(id: number, flags = 0): bigint {
  const call = calls.shmat(id, flags);
  return syscalls([{ call }]).result(call);
}

/**
 * Detaches shared memory. No view of it may be used after that: its addresses are unmapped, or belong
 * to other memory. See [shmdt(2)](https://man7.org/linux/man-pages/man2/shmop.2.html).
 *
 * @throws {SyscallError} `EINVAL` if no shared memory is attached there
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux, SyscallError } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => linux.shmdt(4096n), SyscallError, "EINVAL");
 * ```
 */
export function shmdt(address: bigint): void {
  syscall(calls.shmdt(address));
}

/**
 * Performs a command on shared memory: `IPC_RMID` removes it once no process has it attached. See
 * [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html).
 *
 * @throws {SyscallError} `EINVAL` if no segment has this id, `EPERM` if it is another user's
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const id = linux.shmget(linux.IPC_PRIVATE, 4096, linux.IPC_CREAT | 0o600);
 * linux.shmctl(id, linux.IPC_RMID);
 * ```
 */
export function shmctl(id: number, command: number): void {
  syscall(calls.shmctl(id, command));
}
