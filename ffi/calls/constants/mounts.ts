/**
 * The flags of mounts. See linux/mount.h.
 *
 * @module
 */

/** The mount is read-only. */
export const MS_RDONLY = 0x1;
/** Set-user-id bits and file capabilities have no effect. */
export const MS_NOSUID = 0x2;
/** Device files cannot be opened. */
export const MS_NODEV = 0x4;
/** No program can be executed. */
export const MS_NOEXEC = 0x8;
/** Every write waits until it is on the disk. */
export const MS_SYNCHRONOUS = 0x10;
/** Changes an existing mount. */
export const MS_REMOUNT = 0x20;
/** Mandatory locks; without effect since Linux 5.15. */
export const MS_MANDLOCK = 0x40;
/** Every change of a directory waits until it is on the disk. */
export const MS_DIRSYNC = 0x80;
/** Symbolic links are not followed. */
export const MS_NOSYMFOLLOW = 0x100;
/** Access times are not updated. */
export const MS_NOATIME = 0x400;
/** Access times of directories are not updated. */
export const MS_NODIRATIME = 0x800;
/** Makes a file or directory visible at a second path. */
export const MS_BIND = 0x1000;
/** Moves a mount. */
export const MS_MOVE = 0x2000;
/** Includes the mounts below. */
export const MS_REC = 0x4000;
/** Leaves some warnings out of the kernel's log. */
export const MS_SILENT = 0x8000;
/** Like a private mount, and cannot be bind-mounted. */
export const MS_UNBINDABLE = 0x20000;
/** Mount events neither propagate here nor from here. */
export const MS_PRIVATE = 0x40000;
/** Mount events propagate here, and not from here. */
export const MS_SLAVE = 0x80000;
/** Mount events propagate here and from here. */
export const MS_SHARED = 0x100000;
/** Access times are updated if they are older than the last change, or than a day. */
export const MS_RELATIME = 0x200000;
/** Counts the versions of inodes. */
export const MS_I_VERSION = 0x800000;
/** Access times are always updated. */
export const MS_STRICTATIME = 0x1000000;
/** Timestamps are kept in memory, and written late. */
export const MS_LAZYTIME = 0x2000000;

/** Aborts pending requests, if the filesystem can. */
export const MNT_FORCE = 0x1;
/** Detaches the mount now, and removes it once it is not busy: a lazy unmount. */
export const MNT_DETACH = 0x2;
/** Marks the mount as expired, or removes it if it is marked and was not used since. */
export const MNT_EXPIRE = 0x4;
/** Does not follow a symbolic link. */
export const UMOUNT_NOFOLLOW = 0x8;

/** The mount is read-only. */
export const MOUNT_ATTR_RDONLY = 0x1;
/** Set-user-id bits and file capabilities have no effect. */
export const MOUNT_ATTR_NOSUID = 0x2;
/** Device files cannot be opened. */
export const MOUNT_ATTR_NODEV = 0x4;
/** No program can be executed. */
export const MOUNT_ATTR_NOEXEC = 0x8;
/** The bits about access times, which have to be cleared before one is set. */
export const MOUNT_ATTR__ATIME = 0x70;
/** Access times are updated if they are older than the last change, or than a day. */
export const MOUNT_ATTR_RELATIME = 0x0;
/** Access times are not updated. */
export const MOUNT_ATTR_NOATIME = 0x10;
/** Access times are always updated. */
export const MOUNT_ATTR_STRICTATIME = 0x20;
/** Access times of directories are not updated. */
export const MOUNT_ATTR_NODIRATIME = 0x80;
/** Owners are mapped by a user namespace: an idmapped mount. */
export const MOUNT_ATTR_IDMAP = 0x100000;
/** Symbolic links are not followed. */
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
