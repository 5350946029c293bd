/**
 * Constants of linux/ipc.h and linux/shm.h.
 *
 * @module
 */

/** Creates the segment if the key has none. For shmget(2). */
export const IPC_CREAT = 0o1000;
/** Fails if the key has a segment. For shmget(2), with `IPC_CREAT`. */
export const IPC_EXCL = 0o2000;
/** The key of a new segment always. For shmget(2). */
export const IPC_PRIVATE = 0;
/** Removes the segment. For shmctl(2). */
export const IPC_RMID = 0;
/** Attaches the segment read-only. For shmat(2). */
export const SHM_RDONLY = 0o10000;
