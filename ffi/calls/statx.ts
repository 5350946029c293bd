/**
 * The status of a file. See statx(2) and struct statx (linux/stat.h).
 *
 * @module
 */

import { type Call, call, type Fd, flags, Output, OutputField } from "../call.ts";
import { at } from "./at.ts";
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_STATX_DONT_SYNC,
  AT_SYMLINK_NOFOLLOW,
} from "./constants/at.ts";
import { STATX_FLAGS } from "./names/statx.ts";
import { makedev } from "./files.ts";

export * from "./constants/statx.ts";

/** Returns the status of a file. See statx(2). */
export function statx(
  directory: Fd,
  path: string | Output,
  flagBits: number,
  mask: number,
  stat: Output,
): Call {
  const named = flags(flagBits, {
    AT_SYMLINK_NOFOLLOW,
    AT_NO_AUTOMOUNT,
    AT_EMPTY_PATH,
    AT_STATX_DONT_SYNC,
  });
  return call("statx", at(directory), path, named, flags(mask, STATX_FLAGS), stat);
}

/** Memory for what statx(2) returns. */
export function statxOutput(): Output {
  return new Output(256, "&statx");
}

/** The status of a file; fields that were not requested, and are not known, are 0. */
export interface Statx {
  /** The fields that are known, in `STATX_` bits. */
  readonly mask: number;
  /** The number of its hard links. */
  readonly nlink: number;
  /** Its owner. */
  readonly uid: number;
  /** Its group. */
  readonly gid: number;
  /** Its type and permissions. */
  readonly mode: number;
  /** Its inode; overlay filesystems use all 64 bits. */
  readonly ino: bigint;
  /** Its size in bytes. */
  readonly size: number;
  /** The device that it represents, if it is a device file. */
  readonly rdev: number;
  /** The device of its filesystem. */
  readonly dev: number;
  /** When its status was last changed, in nanoseconds since 1970. */
  readonly ctime: bigint;
  /** When it was last read, in nanoseconds since 1970. */
  readonly atime: bigint;
  /** When its contents were last changed, in nanoseconds since 1970. */
  readonly mtime: bigint;
  /** When it was made, in nanoseconds since 1970. */
  readonly btime: bigint;
  /** How many blocks of 512 bytes it takes. */
  readonly blocks: number;
  /** The size of reads and writes that suits its filesystem. */
  readonly blksize: number;
  /** The number of its mount. */
  readonly mnt_id: number;
}

/** The mode that statx(2) returns, as an argument: a call takes the permission bits of it. */
export function statxMode(stat: Output): OutputField {
  return new OutputField(stat, 28, "mode");
}

/** The words of what statx(2) returned that tell a file, its type, mode and owner: uid, gid, mode, ino, dev. */
export const STATX_IDENTITY: readonly number[] = [20, 24, 28, 32, 36, 136, 140];

/** What statx(2) returned. */
export function readStatx(stat: DataView): Statx {
  const time = (at: number) =>
    stat.getBigInt64(at, true) * 1_000_000_000n + BigInt(stat.getUint32(at + 8, true));
  const device = (at: number) => makedev(stat.getUint32(at, true), stat.getUint32(at + 4, true));
  return {
    mask: stat.getUint32(0, true),
    nlink: stat.getUint32(16, true),
    uid: stat.getUint32(20, true),
    gid: stat.getUint32(24, true),
    mode: stat.getUint16(28, true),
    ino: stat.getBigUint64(32, true),
    size: Number(stat.getBigUint64(40, true)),
    ctime: time(96),
    atime: time(64),
    mtime: time(112),
    btime: time(80),
    blocks: Number(stat.getBigUint64(48, true)),
    blksize: stat.getUint32(4, true),
    rdev: device(128),
    dev: device(136),
    mnt_id: Number(stat.getBigUint64(144, true)),
  };
}

/** The words of struct statx with the device, the inode, and the time of the last change of status. */
const STAMP = [136, 140, 32, 36, 96, 100, 104] as const;

/**
 * A text that is another one for another file, and once the file's status has changed, or the names in
 * a directory. That time cannot be set back, unlike that of the contents (utimensat(2)).
 */
export function statxStamp(stat: DataView): string {
  return STAMP.map((at) => stat.getUint32(at, true)).join(":");
}
