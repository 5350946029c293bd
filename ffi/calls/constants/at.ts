/**
 * The flags that calls with a directory and a path share. See linux/fcntl.h.
 *
 * @module
 */

/** Stands for the working directory where the descriptor of a directory is expected. */
export const AT_FDCWD: number = -100;
/** Takes a symbolic link for what it is. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** Asks for the effective ids, not the real ones. For faccessat(2). */
export const AT_EACCESS = 0x200;
/** Removes a directory, not a file. For unlinkat(2). */
export const AT_REMOVEDIR = 0x200;
/** Follows a symbolic link. For linkat(2). */
export const AT_SYMLINK_FOLLOW = 0x400;
/** Does not set off an automount. */
export const AT_NO_AUTOMOUNT = 0x800;
/** An empty path means the descriptor itself. */
export const AT_EMPTY_PATH = 0x1000;
/** Means all that is mounted below, too. For open_tree(2) and mount_setattr(2). */
export const AT_RECURSIVE = 0x8000;
