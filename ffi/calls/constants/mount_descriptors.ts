/**
 * The flags of the calls that mount by descriptors. See linux/mount.h.
 *
 * @module
 */

/** Opens a detached copy of the mount. */
export const OPEN_TREE_CLONE = 0x1;
/** execve(2) closes the descriptor. */
export const OPEN_TREE_CLOEXEC = 0x80000;

/** Follows a symbolic link at the end of the source path. */
export const MOVE_MOUNT_F_SYMLINKS = 0x1;
/** Follows an automount at the end of the source path. */
export const MOVE_MOUNT_F_AUTOMOUNTS = 0x2;
/** An empty source path means the descriptor itself. */
export const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
/** Follows a symbolic link at the end of the target path. */
export const MOVE_MOUNT_T_SYMLINKS = 0x10;
/** Follows an automount at the end of the target path. */
export const MOVE_MOUNT_T_AUTOMOUNTS = 0x20;
/** An empty target path means the descriptor itself. */
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
/** Adds the target mount to the peer group of the source, and moves nothing. */
export const MOVE_MOUNT_SET_GROUP = 0x100;
/** Mounts beneath the topmost mount (Linux 6.5). */
export const MOVE_MOUNT_BENEATH = 0x200;

/** execve(2) closes the descriptor. For fsopen(2). */
export const FSOPEN_CLOEXEC = 0x1;
/** execve(2) closes the descriptor. For fsmount(2). */
export const FSMOUNT_CLOEXEC = 0x1;

/** execve(2) closes the descriptor. */
export const FSPICK_CLOEXEC = 0x1;
/** Does not follow a symbolic link at the end of the path. */
export const FSPICK_SYMLINK_NOFOLLOW = 0x2;
/** Does not trigger an automount. */
export const FSPICK_NO_AUTOMOUNT = 0x4;
/** An empty path means the descriptor itself. */
export const FSPICK_EMPTY_PATH = 0x8;

/** Sets an option without a value. */
export const FSCONFIG_SET_FLAG = 0;
/** Sets an option to a text. */
export const FSCONFIG_SET_STRING = 1;
/** Sets an option to bytes. */
export const FSCONFIG_SET_BINARY = 2;
/** Sets an option to a file, by its path. */
export const FSCONFIG_SET_PATH = 3;
/** Sets an option to a file, by its path or, where that is empty, its descriptor. */
export const FSCONFIG_SET_PATH_EMPTY = 4;
/** Sets an option to a descriptor. */
export const FSCONFIG_SET_FD = 5;
/** Creates the filesystem instance, or shares an existing one. */
export const FSCONFIG_CMD_CREATE = 6;
/** Reconfigures the existing filesystem instance. */
export const FSCONFIG_CMD_RECONFIGURE = 7;
/** Creates the filesystem instance, and never shares an existing one (Linux 6.6). */
export const FSCONFIG_CMD_CREATE_EXCL = 8;
