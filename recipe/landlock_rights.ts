/**
 * The rights that a kernel can deny, by the version of its Landlock, and those that each word of
 * the step `landlock` grants.
 *
 * @module
 */

import {
  LANDLOCK_ACCESS_FS as FS,
  LANDLOCK_ACCESS_NET as NET,
  LANDLOCK_SCOPE,
} from "../ffi/calls/constants/landlock.ts";

/** What a program may do beneath a path. */
export type FileRight = "read" | "write" | "execute" | "public";

/** What a program may do with a port. */
export type PortRight = "bindTcp" | "connectTcp";

/** A way to reach processes outside. */
export type Scope = "abstractSockets" | "signals";

/** The version that can deny every change of a file, with `TRUNCATE` (Linux 6.2). */
export const FILES_SINCE = 3;

/** The version that can deny ports (Linux 6.7). */
export const PORTS_SINCE = 4;

/** The version that can isolate a program from processes outside (Linux 6.12). */
export const SCOPES_SINCE = 6;

/** What programs need: one that cannot be read cannot be executed. */
const EXECUTE = FS.EXECUTE + FS.READ_FILE + FS.READ_DIR;

/** The rights to files that each word grants. */
export const FILE_RIGHTS: Readonly<Record<FileRight, number>> = {
  read: FS.READ_FILE + FS.READ_DIR,
  write: FS.WRITE_FILE + FS.REMOVE_DIR + FS.REMOVE_FILE + FS.MAKE_CHAR + FS.MAKE_DIR + FS.MAKE_REG +
    FS.MAKE_SOCK + FS.MAKE_FIFO + FS.MAKE_BLOCK + FS.MAKE_SYM + FS.REFER + FS.TRUNCATE +
    FS.IOCTL_DEV,
  execute: EXECUTE,
  public: EXECUTE,
};

/** The rights to ports that each word grants. */
export const PORT_RIGHTS: Readonly<Record<PortRight, number>> = {
  bindTcp: NET.BIND_TCP,
  connectTcp: NET.CONNECT_TCP,
};

/** The kernel's number of each way. */
export const SCOPES: Readonly<Record<Scope, number>> = {
  abstractSockets: LANDLOCK_SCOPE.ABSTRACT_UNIX_SOCKET,
  signals: LANDLOCK_SCOPE.SIGNAL,
};

/** The rights that apply to a file; the others apply to directories only. */
export const RIGHTS_OF_FILE: number = FS.EXECUTE + FS.WRITE_FILE + FS.READ_FILE + FS.TRUNCATE +
  FS.IOCTL_DEV;

/** Returns every right to files that this version can deny. */
export function deniableFileRights(version: number): number {
  if (version < 1) return 0;
  if (version < 2) return FS.REFER - 1;
  if (version < 3) return FS.TRUNCATE - 1;
  if (version < 5) return FS.IOCTL_DEV - 1;
  return FS.IOCTL_DEV * 2 - 1;
}
