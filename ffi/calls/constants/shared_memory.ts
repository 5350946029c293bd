/**
 * Constants of linux/ipc.h and linux/shm.h.
 *
 * @module
 */

/** Makes the object, where there is none with the key. For shmget(2). */
export const IPC_CREAT = 0o1000;
/** Fails where there is one with the key already. For shmget(2), with `IPC_CREAT`. */
export const IPC_EXCL = 0o2000;
/** A key that nobody else has: a new object always. For shmget(2). */
export const IPC_PRIVATE = 0;
/** Removes the object. For shmctl(2). */
export const IPC_RMID = 0;
/** Memory that can only be read. For shmat(2). */
export const SHM_RDONLY = 0o10000;
