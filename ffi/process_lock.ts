/**
 * A lock for all threads of this process, in all its isolates: a futex in a word of memory, at a fixed
 * address that all isolates know.
 *
 * @module
 */

import { type Call, call, Named } from "./call.ts";
import type { ErrnoName } from "./errno.ts";
import { perEngine } from "./engine/per_engine.ts";
import { syscalls } from "./syscalls.ts";

/** Below the addresses that Linux chooses for mappings, also if addresses have only 39 bits. */
const ADDRESS = 0x21_4b45_0000;
const SIZE = 4096;

const PROTECTION = new Named(3, "PROT_READ|PROT_WRITE");
const MAPPING = new Named(0x100022, "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE");
const LOCK = new Named(6 | 128, "FUTEX_LOCK_PI_PRIVATE");
const UNLOCK = new Named(7 | 128, "FUTEX_UNLOCK_PI_PRIVATE");
const WORD = new Named(ADDRESS, "&lock");

/** Acquires the lock. See futex(2). */
export function lockProcess(): Call {
  return call("futex", WORD, LOCK, 0, null);
}

/** Releases the lock. */
export function unlockProcess(): Call {
  return call("futex", WORD, UNLOCK);
}

/** The errnos of both if the lock is not available: the caller goes on without it. */
export const LOCKLESS: readonly ErrnoName[] = [
  "EAGAIN",
  "EDEADLK",
  "EFAULT",
  "EINVAL",
  "ENOSYS",
  "EPERM",
  "ESRCH",
];

/** Maps the memory of the lock, unless another isolate has. */
export const prepareLock: () => void = perEngine(() => {
  const map = call("mmap", WORD, SIZE, PROTECTION, MAPPING, -1, 0);
  syscalls([{ call: map, accept: ["EEXIST"] }]);
});
