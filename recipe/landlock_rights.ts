/**
 * Which rights a kernel can deny, by the version of its landlock, and which ones each word of the
 * step `landlock` gives.
 *
 * @module
 */

import {
  LANDLOCK_ACCESS_FS as FS,
  LANDLOCK_ACCESS_NET as NET,
  LANDLOCK_SCOPE,
} from "../ffi/calls/constants/landlock.ts";

/** What is allowed beneath a path. */
export type FileRight = "read" | "write" | "execute";

/** What is allowed with a port. */
export type PortRight = "bindTcp" | "connectTcp";

/** What a program reaches others by. */
export type Scope = "abstractSockets" | "signals";

/** The version that can deny all changes of files: with `TRUNCATE` (Linux 6.2). */
export const FILES_SINCE = 3;

/** The version that can deny ports (Linux 6.7). */
export const PORTS_SINCE = 4;

/** The version that can keep a program from others (Linux 6.12). */
export const SCOPES_SINCE = 6;

/** The rights that a word gives. A program cannot be executed where it cannot be read. */
export const FILE_RIGHTS: Readonly<Record<FileRight, number>> = {
  read: FS.READ_FILE + FS.READ_DIR,
  write: FS.WRITE_FILE + FS.REMOVE_DIR + FS.REMOVE_FILE + FS.MAKE_CHAR + FS.MAKE_DIR + FS.MAKE_REG +
    FS.MAKE_SOCK + FS.MAKE_FIFO + FS.MAKE_BLOCK + FS.MAKE_SYM + FS.REFER + FS.TRUNCATE +
    FS.IOCTL_DEV,
  execute: FS.EXECUTE + FS.READ_FILE + FS.READ_DIR,
};

/** The rights that a word gives. */
export const PORT_RIGHTS: Readonly<Record<PortRight, number>> = {
  bindTcp: NET.BIND_TCP,
  connectTcp: NET.CONNECT_TCP,
};

/** What a word stands for. */
export const SCOPES: Readonly<Record<Scope, number>> = {
  abstractSockets: LANDLOCK_SCOPE.ABSTRACT_UNIX_SOCKET,
  signals: LANDLOCK_SCOPE.SIGNAL,
};

/** Those that mean something for a file; the others are a directory's. */
export const RIGHTS_OF_FILE: number = FS.EXECUTE + FS.WRITE_FILE + FS.READ_FILE + FS.TRUNCATE +
  FS.IOCTL_DEV;

/** Every right to files that this version can deny. */
export function deniableFileRights(version: number): number {
  if (version < 1) return 0;
  if (version < 2) return FS.REFER - 1;
  if (version < 3) return FS.TRUNCATE - 1;
  if (version < 5) return FS.IOCTL_DEV - 1;
  return FS.IOCTL_DEV * 2 - 1;
}
