/**
 * The fields that statx(2) can return. See linux/stat.h.
 *
 * @module
 */

/** The type of the file. */
export const STATX_TYPE = 0x1;
/** The permissions. */
export const STATX_MODE = 0x2;
/** The number of hard links. */
export const STATX_NLINK = 0x4;
/** The owner. */
export const STATX_UID = 0x8;
/** The group. */
export const STATX_GID = 0x10;
/** The time of the last access. */
export const STATX_ATIME = 0x20;
/** The time of the last modification of its data. */
export const STATX_MTIME = 0x40;
/** The time of the last change of its status. */
export const STATX_CTIME = 0x80;
/** The inode. */
export const STATX_INO = 0x100;
/** The size. */
export const STATX_SIZE = 0x200;
/** The number of blocks that it uses. */
export const STATX_BLOCKS = 0x400;
/** All that stat(2) returns. */
export const STATX_BASIC_STATS = 0x7ff;
/** The time of its creation. */
export const STATX_BTIME = 0x800;
/** The number of the mount, as /proc/self/mountinfo has it (Linux 5.8). */
export const STATX_MNT_ID = 0x1000;
