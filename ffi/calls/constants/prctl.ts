/**
 * The operations of prctl(2). See linux/prctl.h and linux/securebits.h.
 *
 * @module
 */

/** Sets the signal that the end of the parent thread sends. */
export const PR_SET_PDEATHSIG = 1;
/** Tells the signal that the end of the parent thread sends. */
export const PR_GET_PDEATHSIG = 2;
/** Tells whether others of the same user may look into the process. */
export const PR_GET_DUMPABLE = 3;
/** Sets whether others of the same user may look into the process. */
export const PR_SET_DUMPABLE = 4;
/** Tells whether leaving user 0 keeps the permitted capabilities. */
export const PR_GET_KEEPCAPS = 7;
/** Sets whether leaving user 0 keeps the permitted capabilities. */
export const PR_SET_KEEPCAPS = 8;
/** Sets the name of the thread. */
export const PR_SET_NAME = 15;
/** Tells the name of the thread. */
export const PR_GET_NAME = 16;
/** Tells the mode of seccomp. */
export const PR_GET_SECCOMP = 21;
/** Sets the mode of seccomp. */
export const PR_SET_SECCOMP = 22;
/** Tells whether a capability is in the bounding set. */
export const PR_CAPBSET_READ = 23;
/** Takes a capability out of the bounding set. */
export const PR_CAPBSET_DROP = 24;
/** Tells the securebits. */
export const PR_GET_SECUREBITS = 27;
/** Sets the securebits. */
export const PR_SET_SECUREBITS = 28;
/** Sets whether orphans below become children of this process. */
export const PR_SET_CHILD_SUBREAPER = 36;
/** Tells whether orphans below become children of this process. */
export const PR_GET_CHILD_SUBREAPER = 37;
/** execve(2) shall never again give rights. */
export const PR_SET_NO_NEW_PRIVS = 38;
/** Tells whether execve(2) gives rights. */
export const PR_GET_NO_NEW_PRIVS = 39;
/** Tells where the kernel writes 0 when the thread ends. Needs CONFIG_CHECKPOINT_RESTORE. */
export const PR_GET_TID_ADDRESS = 40;
/** Reads or changes the ambient set. */
export const PR_CAP_AMBIENT = 47;

/** Tells whether a capability is in the ambient set. */
export const PR_CAP_AMBIENT_IS_SET = 1;
/** Puts a capability into the ambient set. */
export const PR_CAP_AMBIENT_RAISE = 2;
/** Takes a capability out of the ambient set. */
export const PR_CAP_AMBIENT_LOWER = 3;
/** Empties the ambient set. */
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** User 0 gets no capabilities by execve(2). */
export const SECBIT_NOROOT = 0x1;
/** `SECBIT_NOROOT` cannot be changed any more. */
export const SECBIT_NOROOT_LOCKED = 0x2;
/** Changing the user does not change capabilities. */
export const SECBIT_NO_SETUID_FIXUP = 0x4;
/** `SECBIT_NO_SETUID_FIXUP` cannot be changed any more. */
export const SECBIT_NO_SETUID_FIXUP_LOCKED = 0x8;
/** Leaving user 0 keeps the permitted capabilities. */
export const SECBIT_KEEP_CAPS = 0x10;
/** `SECBIT_KEEP_CAPS` cannot be changed any more. */
export const SECBIT_KEEP_CAPS_LOCKED = 0x20;
/** The ambient set cannot grow. */
export const SECBIT_NO_CAP_AMBIENT_RAISE = 0x40;
/** `SECBIT_NO_CAP_AMBIENT_RAISE` cannot be changed any more. */
export const SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED = 0x80;
