/**
 * The operations of prctl(2). See linux/prctl.h and linux/securebits.h.
 *
 * @module
 */

/** Sets the signal that the process gets when its parent thread ends. */
export const PR_SET_PDEATHSIG = 1;
/** Gets the signal that the process gets when its parent thread ends. */
export const PR_GET_PDEATHSIG = 2;
/** Gets whether the process is dumpable: other processes of its user may trace it. */
export const PR_GET_DUMPABLE = 3;
/** Sets whether the process is dumpable: other processes of its user may trace it. */
export const PR_SET_DUMPABLE = 4;
/** Gets whether leaving user 0 keeps the permitted capabilities. */
export const PR_GET_KEEPCAPS = 7;
/** Sets whether leaving user 0 keeps the permitted capabilities. */
export const PR_SET_KEEPCAPS = 8;
/** Sets the name of the thread. */
export const PR_SET_NAME = 15;
/** Gets the name of the thread. */
export const PR_GET_NAME = 16;
/** Gets the mode of seccomp. */
export const PR_GET_SECCOMP = 21;
/** Sets the mode of seccomp. */
export const PR_SET_SECCOMP = 22;
/** Gets whether a capability is in the bounding set. */
export const PR_CAPBSET_READ = 23;
/** Drops a capability from the bounding set. */
export const PR_CAPBSET_DROP = 24;
/** Gets the securebits. */
export const PR_GET_SECUREBITS = 27;
/** Sets the securebits. */
export const PR_SET_SECUREBITS = 28;
/** Sets whether orphaned descendants become children of this process. */
export const PR_SET_CHILD_SUBREAPER = 36;
/** Gets whether orphaned descendants become children of this process. */
export const PR_GET_CHILD_SUBREAPER = 37;
/** Keeps execve(2) from granting privileges, for good. */
export const PR_SET_NO_NEW_PRIVS = 38;
/** Gets whether execve(2) is kept from granting privileges. */
export const PR_GET_NO_NEW_PRIVS = 39;
/** Gets the address that the kernel clears when the thread ends (CONFIG_CHECKPOINT_RESTORE). */
export const PR_GET_TID_ADDRESS = 40;
/** Reads or changes the ambient set. */
export const PR_CAP_AMBIENT = 47;

/** Gets whether a capability is in the ambient set. */
export const PR_CAP_AMBIENT_IS_SET = 1;
/** Adds a capability to the ambient set. */
export const PR_CAP_AMBIENT_RAISE = 2;
/** Removes a capability from the ambient set. */
export const PR_CAP_AMBIENT_LOWER = 3;
/** Clears the ambient set. */
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** execve(2) gives user 0 no capabilities. */
export const SECBIT_NOROOT = 0x1;
/** `SECBIT_NOROOT` is locked. */
export const SECBIT_NOROOT_LOCKED = 0x2;
/** Changing the user does not change capabilities. */
export const SECBIT_NO_SETUID_FIXUP = 0x4;
/** `SECBIT_NO_SETUID_FIXUP` is locked. */
export const SECBIT_NO_SETUID_FIXUP_LOCKED = 0x8;
/** Leaving user 0 keeps the permitted capabilities. */
export const SECBIT_KEEP_CAPS = 0x10;
/** `SECBIT_KEEP_CAPS` is locked. */
export const SECBIT_KEEP_CAPS_LOCKED = 0x20;
/** The ambient set cannot grow. */
export const SECBIT_NO_CAP_AMBIENT_RAISE = 0x40;
/** `SECBIT_NO_CAP_AMBIENT_RAISE` is locked. */
export const SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED = 0x80;
