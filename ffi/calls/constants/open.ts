/**
 * The flags of openat(2) and openat2(2). See asm-generic/fcntl.h and linux/openat2.h.
 *
 * @module
 */

/** For reading. */
export const O_RDONLY = 0;
/** For writing. */
export const O_WRONLY = 0o1;
/** For reading and writing. */
export const O_RDWR = 0o2;
/** Creates the file if it does not exist. */
export const O_CREAT = 0o100;
/** Fails if the file exists. For `O_CREAT`. */
export const O_EXCL = 0o200;
/** A terminal does not become the controlling terminal of the process. */
export const O_NOCTTY = 0o400;
/** Truncates the file to length 0. */
export const O_TRUNC = 0o1000;
/** Every write goes to the end. */
export const O_APPEND = 0o2000;
/** Calls do not block. */
export const O_NONBLOCK = 0o4000;
/** Every write waits until data and metadata are on the disk. */
export const O_SYNC = 0o4010000;
/** Every write waits until its data are on the disk. */
export const O_DSYNC = 0o10000;
/** Reads do not update the access time. */
export const O_NOATIME = 0o1000000;
/** execve(2) closes the descriptor. */
export const O_CLOEXEC = 0o2000000;
/** A location in the file tree, which cannot be read or written. */
export const O_PATH = 0o10000000;

// Some flags have other bits on aarch64 (arch/arm64/include/uapi/asm/fcntl.h).
const onArm = typeof Deno !== "undefined" && Deno.build.arch === "aarch64";
/** An unnamed file in the directory. */
export const O_TMPFILE: number = onArm ? 0o20040000 : 0o20200000;
/** Bypasses the page cache. */
export const O_DIRECT: number = onArm ? 0o200000 : 0o40000;
/** Fails if it is not a directory. */
export const O_DIRECTORY: number = onArm ? 0o40000 : 0o200000;
/** Fails if it is a symbolic link. */
export const O_NOFOLLOW: number = onArm ? 0o100000 : 0o400000;

/** Fails at the boundary of a mount. */
export const RESOLVE_NO_XDEV = 0x1;
/** Fails at a magic link, as those of /proc/PID/fd are. */
export const RESOLVE_NO_MAGICLINKS = 0x2;
/** Fails at any symbolic link. */
export const RESOLVE_NO_SYMLINKS = 0x4;
/** Fails if the path leaves the directory. */
export const RESOLVE_BENEATH = 0x8;
/** Treats the directory as the root. */
export const RESOLVE_IN_ROOT = 0x10;
/** Fails if not all of the path is in the kernel's cache. */
export const RESOLVE_CACHED = 0x20;
