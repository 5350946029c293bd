/**
 * The requests of ioctl_tty(2). See asm-generic/ioctls.h.
 *
 * @module
 */

/** Gets the settings of a terminal. */
export const TCGETS = 0x5401;
/** Sets the settings of a terminal. */
export const TCSETS = 0x5402;
/** Discards input that was not read, or output that was not sent. */
export const TCFLSH = 0x540b;
/** Makes the terminal the controlling terminal of the process's session. */
export const TIOCSCTTY = 0x540e;
/** Gets the foreground process group. */
export const TIOCGPGRP = 0x540f;
/** Sets the foreground process group. */
export const TIOCSPGRP = 0x5410;
/** Gets the size of the window. */
export const TIOCGWINSZ = 0x5413;
/** Sets the size of the window. */
export const TIOCSWINSZ = 0x5414;
/** Gets the number of bytes that can be read, of a pipe too (pipe(7)). */
export const FIONREAD = 0x541b;
/** Gives up the controlling terminal. */
export const TIOCNOTTY = 0x5422;
/** Gets the session, if the terminal is the controlling one of the process. */
export const TIOCGSID = 0x5429;
/** Gets the number of a pseudo-terminal. */
export const TIOCGPTN = 0x80045430;
/** Locks or unlocks the other side of a pseudo-terminal. */
export const TIOCSPTLCK = 0x40045431;
/** Opens the other side of a pseudo-terminal. */
export const TIOCGPTPEER = 0x5441;

/** Input that was not read. For `TCFLSH`. */
export const TCIFLUSH = 0;
