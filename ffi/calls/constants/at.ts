/**
 * The flags that calls with a directory and a path share. See linux/fcntl.h.
 *
 * @module
 */

/** Stands for the working directory where the descriptor of a directory is expected. */
export const AT_FDCWD: number = -100;
/** Does not follow a symbolic link at the end of the path. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** Checks the effective ids instead of the real ones. For faccessat(2). */
export const AT_EACCESS = 0x200;
/** Removes a directory instead of a file. For unlinkat(2). */
export const AT_REMOVEDIR = 0x200;
/** Follows a symbolic link. For linkat(2). */
export const AT_SYMLINK_FOLLOW = 0x400;
/** Does not trigger an automount. */
export const AT_NO_AUTOMOUNT = 0x800;
/** An empty path means the descriptor itself. */
export const AT_EMPTY_PATH = 0x1000;
/** Takes the attributes that are known here, and asks no server. For statx(2). */
export const AT_STATX_DONT_SYNC = 0x4000;
/** Includes the mounts below. For open_tree(2) and mount_setattr(2). */
export const AT_RECURSIVE = 0x8000;
