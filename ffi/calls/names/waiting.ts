/**
 * The names of the flags of waitid(2), for plans and errors.
 *
 * @module
 */

import {
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
} from "../constants/waiting.ts";

/** The types of the id of waitid(2), by name. */
export const WAIT_ID_TYPES: Readonly<Record<string, number>> = {
  P_ALL,
  P_PID,
  P_PGID,
  P_PIDFD,
};

/** The flags of waitid(2), by name. */
export const WAIT_FLAGS: Readonly<Record<string, number>> = {
  WNOHANG,
  WSTOPPED,
  WEXITED,
  WCONTINUED,
  WNOWAIT,
};
