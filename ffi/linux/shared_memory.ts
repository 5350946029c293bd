/**
 * Shared memory of System V, in the ipc namespace of the calling thread. See
 * [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html).
 *
 * @module
 */

import * as calls from "../calls/shared_memory.ts";
import { syscall, syscalls } from "../syscalls.ts";

/**
 * Finds the shared memory of a key, or makes it with `IPC_CREAT` and permission bits among the
 * flags; tells its id. See [shmget(2)](https://man7.org/linux/man-pages/man2/shmget.2.html).
 *
 * @param size in bytes, for what is made
 *
 * @throws {SyscallError} `ENOENT` where there is none with the key, `EEXIST`, `EACCES`, `ENOSPC`
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
    ENOENT: "there is none with this key; linux.IPC_CREAT makes it",
  });
}

/**
 * Attaches shared memory, and answers its address, for `Deno.UnsafePointerView`. See
 * [shmat(2)](https://man7.org/linux/man-pages/man2/shmop.2.html).
 *
 * @throws {SyscallError} `EINVAL` where there is none with this id, `EACCES`
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
 * Detaches shared memory. No view of it may be used after that: it would touch memory that is not
 * there, or something else's. See
 * [shmdt(2)](https://man7.org/linux/man-pages/man2/shmop.2.html).
 *
 * @throws {SyscallError} `EINVAL` where no shared memory is attached there
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
 * Controls shared memory: `IPC_RMID` removes it, once nobody has it attached. See
 * [shmctl(2)](https://man7.org/linux/man-pages/man2/shmctl.2.html).
 *
 * @throws {SyscallError} `EINVAL` where there is none with this id, `EPERM` where it is another
 * user's
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
