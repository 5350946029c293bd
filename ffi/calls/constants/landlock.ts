/**
 * The rights of Landlock. See landlock(7) and linux/landlock.h.
 *
 * @module
 */

/** Rights to files, by name. */
export const LANDLOCK_ACCESS_FS = {
  EXECUTE: 2 ** 0,
  WRITE_FILE: 2 ** 1,
  READ_FILE: 2 ** 2,
  READ_DIR: 2 ** 3,
  REMOVE_DIR: 2 ** 4,
  REMOVE_FILE: 2 ** 5,
  MAKE_CHAR: 2 ** 6,
  MAKE_DIR: 2 ** 7,
  MAKE_REG: 2 ** 8,
  MAKE_SOCK: 2 ** 9,
  MAKE_FIFO: 2 ** 10,
  MAKE_BLOCK: 2 ** 11,
  MAKE_SYM: 2 ** 12,
  REFER: 2 ** 13,
  TRUNCATE: 2 ** 14,
  IOCTL_DEV: 2 ** 15,
} as const;

/** Rights to ports, by name. */
export const LANDLOCK_ACCESS_NET = {
  BIND_TCP: 2 ** 0,
  CONNECT_TCP: 2 ** 1,
} as const;

/** What does not go beyond those with the same rules, by name. */
export const LANDLOCK_SCOPE = {
  ABSTRACT_UNIX_SOCKET: 2 ** 0,
  SIGNAL: 2 ** 1,
} as const;
