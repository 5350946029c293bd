/**
 * The names of the requests of ioctl_tty(2), for plans and errors.
 *
 * @module
 */

import {
  FIONREAD,
  TCFLSH,
  TCGETS,
  TCSETS,
  TIOCGPGRP,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCGSID,
  TIOCGWINSZ,
  TIOCNOTTY,
  TIOCSCTTY,
  TIOCSPGRP,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "../constants/terminals.ts";

/** The requests of ioctl_tty(2), by name. */
export const IOCTL_REQUESTS: Readonly<Record<string, number>> = {
  TCGETS,
  TCSETS,
  TCFLSH,
  TIOCSCTTY,
  TIOCGPGRP,
  TIOCSPGRP,
  TIOCGWINSZ,
  TIOCSWINSZ,
  FIONREAD,
  TIOCNOTTY,
  TIOCGSID,
  TIOCGPTN,
  TIOCSPTLCK,
  TIOCGPTPEER,
};
