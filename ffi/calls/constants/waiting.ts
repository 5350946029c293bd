/**
 * The flags of waitid(2), and the states that it reports. See linux/wait.h and
 * asm-generic/siginfo.h.
 *
 * @module
 */

/** Any child. */
export const P_ALL = 0;
/** The child with this pid. */
export const P_PID = 1;
/** Any child of this process group. */
export const P_PGID = 2;
/** The child of this descriptor. */
export const P_PIDFD = 3;

/** Returns at once if no child has changed. */
export const WNOHANG = 0x1;
/** Waits for children that a signal stopped. */
export const WSTOPPED = 0x2;
/** Waits for children that ended. */
export const WEXITED = 0x4;
/** Waits for children that SIGCONT resumed. */
export const WCONTINUED = 0x8;
/** Leaves the child waitable. */
export const WNOWAIT = 0x1000000;

/** The child has exited. */
export const CLD_EXITED = 1;
/** A signal has killed the child. */
export const CLD_KILLED = 2;
/** A signal has killed the child, which left a core dump. */
export const CLD_DUMPED = 3;
/** A traced child has trapped. */
export const CLD_TRAPPED = 4;
/** A signal has stopped the child. */
export const CLD_STOPPED = 5;
/** SIGCONT has resumed the child. */
export const CLD_CONTINUED = 6;
