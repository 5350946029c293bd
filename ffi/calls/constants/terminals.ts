/**
 * The requests of ioctl_tty(2). See asm-generic/ioctls.h.
 *
 * @module
 */

/** Tells the settings of a terminal. */
export const TCGETS = 0x5401;
/** Sets the settings of a terminal. */
export const TCSETS = 0x5402;
/** Throws away what was typed and not read yet, or written and not shown. */
export const TCFLSH = 0x540b;
/** Makes it the terminal of the process's session. */
export const TIOCSCTTY = 0x540e;
/** Tells the process group in the foreground. */
export const TIOCGPGRP = 0x540f;
/** Sets the process group in the foreground. */
export const TIOCSPGRP = 0x5410;
/** Tells the size of the window. */
export const TIOCGWINSZ = 0x5413;
/** Sets the size of the window. */
export const TIOCSWINSZ = 0x5414;
/** Gives up the terminal of the process's session. */
export const TIOCNOTTY = 0x5422;
/** Tells the number of a pseudo-terminal. */
export const TIOCGPTN = 0x80045430;
/** Locks or unlocks the other side of a pseudo-terminal. */
export const TIOCSPTLCK = 0x40045431;
/** Opens the other side of a pseudo-terminal. */
export const TIOCGPTPEER = 0x5441;

/** For TCFLSH: what was typed. */
export const TCIFLUSH = 0;
