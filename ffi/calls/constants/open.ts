/**
 * How files are opened. See asm-generic/fcntl.h and linux/openat2.h.
 *
 * @module
 */

/** To be read. */
export const O_RDONLY = 0;
/** To be written. */
export const O_WRONLY = 0o1;
/** To be read and written. */
export const O_RDWR = 0o2;
/** Makes the file where there is none. */
export const O_CREAT = 0o100;
/** Fails where the file is there already. */
export const O_EXCL = 0o200;
/** A terminal does not become the process's own. */
export const O_NOCTTY = 0o400;
/** Empties the file. */
export const O_TRUNC = 0o1000;
/** Every write goes to the end. */
export const O_APPEND = 0o2000;
/** Nothing is waited for. */
export const O_NONBLOCK = 0o4000;
/** Every write waits until it is stored. */
export const O_SYNC = 0o4010000;
/** Every write waits until its data are stored. */
export const O_DSYNC = 0o10000;
/** The access time is not kept. */
export const O_NOATIME = 0o1000000;
/** execve(2) closes the descriptor. */
export const O_CLOEXEC = 0o2000000;
/** A mere place in the tree, to be neither read nor written. */
export const O_PATH = 0o10000000;

// Some flags have other bits on aarch64 (arch/arm64/include/uapi/asm/fcntl.h).
const onArm = typeof Deno !== "undefined" && Deno.build.arch === "aarch64";
/** A file without a name, in the directory that is opened. */
export const O_TMPFILE: number = onArm ? 0o20040000 : 0o20200000;
/** Passes the page cache by. */
export const O_DIRECT: number = onArm ? 0o200000 : 0o40000;
/** Fails where it is no directory. */
export const O_DIRECTORY: number = onArm ? 0o40000 : 0o200000;
/** Fails where it is a symbolic link. */
export const O_NOFOLLOW: number = onArm ? 0o100000 : 0o400000;

/** Goes into no other mount. */
export const RESOLVE_NO_XDEV = 0x1;
/** Follows no link that /proc makes up. */
export const RESOLVE_NO_MAGICLINKS = 0x2;
/** Follows no symbolic link at all. */
export const RESOLVE_NO_SYMLINKS = 0x4;
/** Fails where the path leaves the directory. */
export const RESOLVE_BENEATH = 0x8;
/** Takes the directory for the root. */
export const RESOLVE_IN_ROOT = 0x10;
/** Fails where a disk would have to be asked. */
export const RESOLVE_CACHED = 0x20;
