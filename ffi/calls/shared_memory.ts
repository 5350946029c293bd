/**
 * System V shared memory, which belongs to the ipc namespace. See shm_overview(7) for POSIX shared
 * memory, which belongs to a filesystem.
 *
 * @module
 */

import { type Call, call, constant, flags } from "../call.ts";
import { IPC_CREAT, IPC_EXCL, IPC_RMID, SHM_RDONLY } from "./constants/shared_memory.ts";

export * from "./constants/shared_memory.ts";

/** Returns the id of the shared memory of a key, or creates it. See shmget(2). */
export function shmget(key: number, size: number, flagBits: number): Call {
  return call("shmget", key, size, flags(flagBits, { IPC_CREAT, IPC_EXCL }));
}

/** Attaches shared memory at an address that the kernel chooses. See shmat(2). */
export function shmat(id: number, flagBits: number): Call {
  return call("shmat", id, null, flags(flagBits, { SHM_RDONLY }));
}

/** Detaches shared memory. See shmdt(2). */
export function shmdt(address: bigint): Call {
  return call("shmdt", address);
}

/** Performs a command on shared memory. See shmctl(2). */
export function shmctl(id: number, command: number): Call {
  return call("shmctl", id, constant(command, { IPC_RMID }), null);
}
