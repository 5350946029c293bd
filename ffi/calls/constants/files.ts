/**
 * The flags and commands of calls about files. See linux/fcntl.h and linux/stat.h.
 *
 * @module
 */

/** Unshares the table of descriptors first. */
export const CLOSE_RANGE_UNSHARE = 0x2;
/** Sets the close-on-exec flag instead of closing. */
export const CLOSE_RANGE_CLOEXEC = 0x4;

/** Duplicates the descriptor, with the lowest free number that is not below the argument. */
export const F_DUPFD = 0;
/** Gets the flags of the descriptor. */
export const F_GETFD = 1;
/** Sets the flags of the descriptor: `FD_CLOEXEC`. */
export const F_SETFD = 2;
/** Gets the flags of the open file. */
export const F_GETFL = 3;
/** Sets the flags of the open file. */
export const F_SETFL = 4;
/** As `F_DUPFD`, and close-on-exec. */
export const F_DUPFD_CLOEXEC = 1030;
/** Sets the size of a pipe. */
export const F_SETPIPE_SZ = 1031;
/** Gets the size of a pipe. */
export const F_GETPIPE_SZ = 1032;
/** Adds seals to a memory file. */
export const F_ADD_SEALS = 1033;
/** Gets the seals of a memory file. */
export const F_GET_SEALS = 1034;

/** Shares a lock. For flock(2). */
export const LOCK_SH = 1;
/** Takes a lock alone. */
export const LOCK_EX = 2;
/** Fails with `EAGAIN` where it would wait. */
export const LOCK_NB = 4;
/** execve(2) closes the descriptor. */
export const FD_CLOEXEC = 1;
/** No seals can be added. */
export const F_SEAL_SEAL = 0x1;
/** The file cannot shrink. */
export const F_SEAL_SHRINK = 0x2;
/** The file cannot grow. */
export const F_SEAL_GROW = 0x4;
/** The file cannot be written. */
export const F_SEAL_WRITE = 0x8;
/** execve(2) closes the memory file. */
export const MFD_CLOEXEC = 0x1;
/** The memory file can be sealed. */
export const MFD_ALLOW_SEALING = 0x2;
/** The memory file can never be executed (Linux 6.3). */
export const MFD_NOEXEC_SEAL = 0x8;
/** The memory file can be executed (Linux 6.3). */
export const MFD_EXEC = 0x10;
/** From the beginning. For lseek(2). */
export const SEEK_SET = 0;
/** From the current offset. */
export const SEEK_CUR = 1;
/** From the end. */
export const SEEK_END = 2;
/** Neither pipe is waited for. For splice(2) and tee(2). */
export const SPLICE_F_NONBLOCK = 0x2;
/** Fails if the new name exists. For renameat2(2). */
export const RENAME_NOREPLACE = 0x1;
/** Exchanges the two files. For renameat2(2). */
export const RENAME_EXCHANGE = 0x2;
/** Leaves a whiteout at the old name. For renameat2(2). */
export const RENAME_WHITEOUT = 0x4;
/** Checks that the file exists. For faccessat(2). */
export const F_OK = 0;
/** Checks the permission to execute. For faccessat(2). */
export const X_OK = 1;
/** Checks the permission to write. For faccessat(2). */
export const W_OK = 2;
/** Checks the permission to read. For faccessat(2). */
export const R_OK = 4;
/** The bits of a mode that hold the type of the file. */
export const S_IFMT = 0o170000;
/** A named pipe. */
export const S_IFIFO = 0o010000;
/** A character device. */
export const S_IFCHR = 0o020000;
/** A directory. */
export const S_IFDIR = 0o040000;
/** A block device. */
export const S_IFBLK = 0o060000;
/** A regular file. */
export const S_IFREG = 0o100000;
/** A symbolic link. */
export const S_IFLNK = 0o120000;
/** A socket. */
export const S_IFSOCK = 0o140000;
