/**
 * What is done to descriptors and files. See linux/fcntl.h and linux/stat.h.
 *
 * @module
 */

/** First gives the thread descriptors of its own. */
export const CLOSE_RANGE_UNSHARE = 0x2;
/** Has execve(2) close them. */
export const CLOSE_RANGE_CLOEXEC = 0x4;

/** Makes another descriptor, no lower than the argument. */
export const F_DUPFD = 0;
/** Tells the flags of the descriptor. */
export const F_GETFD = 1;
/** Sets the flags of the descriptor: `FD_CLOEXEC`. */
export const F_SETFD = 2;
/** Tells the flags of the open file. */
export const F_GETFL = 3;
/** Sets the flags of the open file. */
export const F_SETFL = 4;
/** As `F_DUPFD`; execve(2) closes it. */
export const F_DUPFD_CLOEXEC = 1030;
/** Sets the size of a pipe. */
export const F_SETPIPE_SZ = 1031;
/** Tells the size of a pipe. */
export const F_GETPIPE_SZ = 1032;
/** Forbids changes of a memory file for good. */
export const F_ADD_SEALS = 1033;
/** Tells what is forbidden of a memory file. */
export const F_GET_SEALS = 1034;

/** execve(2) closes the descriptor. */
export const FD_CLOEXEC = 1;
/** No more seals. */
export const F_SEAL_SEAL = 0x1;
/** The file cannot become smaller. */
export const F_SEAL_SHRINK = 0x2;
/** The file cannot become larger. */
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
/** From where the file stands. */
export const SEEK_CUR = 1;
/** From the end. */
export const SEEK_END = 2;
/** Fails where the new name is taken. For renameat2(2). */
export const RENAME_NOREPLACE = 0x1;
/** Swaps the two. */
export const RENAME_EXCHANGE = 0x2;
/** Leaves an overlay's whiteout behind. */
export const RENAME_WHITEOUT = 0x4;
/** Is it there? For faccessat(2). */
export const F_OK = 0;
/** May it be executed? */
export const X_OK = 1;
/** May it be written? */
export const W_OK = 2;
/** May it be read? */
export const R_OK = 4;
/** The bits of a mode that are the kind of file. */
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
