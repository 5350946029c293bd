/**
 * The names of the flags of openat(2) and openat2(2), for plans and errors.
 *
 * @module
 */

import {
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../constants/open.ts";

/** The flags of openat(2), by name; a flag that contains others stands before them. */
export const OPEN_FLAGS: Readonly<Record<string, number>> = {
  O_TMPFILE,
  O_SYNC,
  O_DSYNC,
  O_WRONLY,
  O_RDWR,
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_TRUNC,
  O_APPEND,
  O_NONBLOCK,
  O_NOATIME,
  O_CLOEXEC,
  O_PATH,
  O_DIRECT,
  O_DIRECTORY,
  O_NOFOLLOW,
};

/** The flags of openat2(2) that restrict how a path is resolved, by name. */
export const RESOLVE_FLAGS: Readonly<Record<string, number>> = {
  RESOLVE_NO_XDEV,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_CACHED,
};
