/**
 * What statx(2) is asked for. See linux/stat.h.
 *
 * @module
 */

/** The kind of file. */
export const STATX_TYPE = 0x1;
/** The permissions. */
export const STATX_MODE = 0x2;
/** The number of names. */
export const STATX_NLINK = 0x4;
/** The owner. */
export const STATX_UID = 0x8;
/** The group. */
export const STATX_GID = 0x10;
/** When it was read. */
export const STATX_ATIME = 0x20;
/** When it was written. */
export const STATX_MTIME = 0x40;
/** When anything of it changed. */
export const STATX_CTIME = 0x80;
/** The inode. */
export const STATX_INO = 0x100;
/** The size. */
export const STATX_SIZE = 0x200;
/** The blocks that it takes. */
export const STATX_BLOCKS = 0x400;
/** All that stat(2) tells. */
export const STATX_BASIC_STATS = 0x7ff;
/** When it was made. */
export const STATX_BTIME = 0x800;
/** The number of the mount, as /proc/self/mountinfo has it (Linux 5.8). */
export const STATX_MNT_ID = 0x1000;
