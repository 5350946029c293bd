/**
 * A lock among all threads of this process, in whichever isolates they run: the kernel keeps it, in
 * a word of memory at an address that all isolates know.
 *
 * @module
 */

import { type Call, call, Named } from "./call.ts";
import type { ErrnoName } from "./errno.ts";
import { perEngine } from "./engine/per_engine.ts";
import { syscalls } from "./syscalls.ts";

/** Below all that Linux places by itself, also where addresses have but 39 bits. */
const ADDRESS = 0x21_4b45_0000;
const SIZE = 4096;

const PROTECTION = new Named(3, "PROT_READ|PROT_WRITE");
const MAPPING = new Named(0x100022, "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE");
const LOCK = new Named(6 | 128, "FUTEX_LOCK_PI_PRIVATE");
const UNLOCK = new Named(7 | 128, "FUTEX_UNLOCK_PI_PRIVATE");
const WORD = new Named(ADDRESS, "&lock");

/** Waits for the lock. See futex(2). */
export function lockProcess(): Call {
  return call("futex", WORD, LOCK, 0, null);
}

/** Gives the lock up. */
export function unlockProcess(): Call {
  return call("futex", WORD, UNLOCK);
}

/** What locking and unlocking answer where there is no lock to be had: then one does without. */
export const LOCKLESS: readonly ErrnoName[] = [
  "EAGAIN",
  "EDEADLK",
  "EFAULT",
  "EINVAL",
  "ENOSYS",
  "EPERM",
  "ESRCH",
];

/** Makes the memory that the lock lies in, unless another isolate has. */
export const prepareLock: () => void = perEngine(() => {
  const map = call("mmap", WORD, SIZE, PROTECTION, MAPPING, -1, 0);
  syscalls([{ call: map, accept: ["EEXIST"] }]);
});
