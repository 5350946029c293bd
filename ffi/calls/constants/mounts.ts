/**
 * The flags of mounts. See linux/mount.h.
 *
 * @module
 */

/** Can only be read. */
export const MS_RDONLY = 0x1;
/** Set-user-id bits and file capabilities have no effect. */
export const MS_NOSUID = 0x2;
/** Device files cannot be opened. */
export const MS_NODEV = 0x4;
/** No program can be executed. */
export const MS_NOEXEC = 0x8;
/** Every write waits until it is stored. */
export const MS_SYNCHRONOUS = 0x10;
/** Changes a mount that is there. */
export const MS_REMOUNT = 0x20;
/** Mandatory locks; without effect since Linux 5.15. */
export const MS_MANDLOCK = 0x40;
/** Every change of a directory waits until it is stored. */
export const MS_DIRSYNC = 0x80;
/** Symbolic links are not followed. */
export const MS_NOSYMFOLLOW = 0x100;
/** Access times are not kept. */
export const MS_NOATIME = 0x400;
/** Access times of directories are not kept. */
export const MS_NODIRATIME = 0x800;
/** Shows a file or directory at a second place. */
export const MS_BIND = 0x1000;
/** Moves a mount. */
export const MS_MOVE = 0x2000;
/** Means all that is mounted below, too. */
export const MS_REC = 0x4000;
/** Leaves some warnings out of the kernel's log. */
export const MS_SILENT = 0x8000;
/** Private, and cannot be bound elsewhere. */
export const MS_UNBINDABLE = 0x20000;
/** Mounts below neither come from elsewhere nor go there. */
export const MS_PRIVATE = 0x40000;
/** Mounts below come from elsewhere, and do not go there. */
export const MS_SLAVE = 0x80000;
/** Mounts below come from elsewhere and go there. */
export const MS_SHARED = 0x100000;
/** Access times are kept where they tell something. */
export const MS_RELATIME = 0x200000;
/** Counts the versions of inodes. */
export const MS_I_VERSION = 0x800000;
/** Access times are always kept. */
export const MS_STRICTATIME = 0x1000000;
/** Times are kept in memory, and stored late. */
export const MS_LAZYTIME = 0x2000000;

/** Aborts what is under way, where the filesystem can. */
export const MNT_FORCE = 0x1;
/** Takes the mount out of sight now, and away once nobody uses it. */
export const MNT_DETACH = 0x2;
/** Marks the mount, or takes it away if it is marked and was not used since. */
export const MNT_EXPIRE = 0x4;
/** Does not follow a symbolic link. */
export const UMOUNT_NOFOLLOW = 0x8;

/** Can only be read. */
export const MOUNT_ATTR_RDONLY = 0x1;
/** Set-user-id bits and file capabilities have no effect. */
export const MOUNT_ATTR_NOSUID = 0x2;
/** Device files cannot be opened. */
export const MOUNT_ATTR_NODEV = 0x4;
/** No program can be executed. */
export const MOUNT_ATTR_NOEXEC = 0x8;
/** All that is about access times; to be cleared before another is set. */
export const MOUNT_ATTR__ATIME = 0x70;
/** Access times are kept where they tell something. */
export const MOUNT_ATTR_RELATIME = 0x0;
/** Access times are not kept. */
export const MOUNT_ATTR_NOATIME = 0x10;
/** Access times are always kept. */
export const MOUNT_ATTR_STRICTATIME = 0x20;
/** Access times of directories are not kept. */
export const MOUNT_ATTR_NODIRATIME = 0x80;
/** Owners are shown through the id map of a user namespace. */
export const MOUNT_ATTR_IDMAP = 0x100000;
/** Symbolic links are not followed. */
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
