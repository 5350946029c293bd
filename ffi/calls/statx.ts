/**
 * What a file is. See statx(2) and struct statx (linux/stat.h).
 *
 * @module
 */

import { type Call, call, type Fd, flags, Output } from "../call.ts";
import { at } from "./at.ts";
import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW } from "./constants/at.ts";
import { STATX_FLAGS } from "./names/statx.ts";
import { makedev } from "./files.ts";

export * from "./constants/statx.ts";

/** Tells what a file is. See statx(2). */
export function statx(
  directory: Fd,
  path: string,
  flagBits: number,
  mask: number,
  told: Output,
): Call {
  const named = flags(flagBits, { AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH });
  return call("statx", at(directory), path, named, flags(mask, STATX_FLAGS), told);
}

/** Memory for what statx(2) tells. */
export function statxOutput(): Output {
  return new Output(256, "&statx");
}

/** What statx(2) tells; what was not asked for, and is not known, is 0. */
export interface Statx {
  /** What is known, in `STATX_` bits. */
  readonly mask: number;
  /** The number of its names. */
  readonly nlink: number;
  /** Its owner. */
  readonly uid: number;
  /** Its group. */
  readonly gid: number;
  /** What it is, and its permissions. */
  readonly mode: number;
  /** Its inode: all 64 bits count on overlay filesystems. */
  readonly ino: bigint;
  /** Its size in bytes. */
  readonly size: number;
  /** The device that it stands for, if it does. */
  readonly rdev: number;
  /** The device that it is on. */
  readonly dev: number;
  /** The number of its mount. */
  readonly mnt_id: number;
}

/** What statx(2) has told. */
export function readStatx(told: DataView): Statx {
  const device = (at: number) => makedev(told.getUint32(at, true), told.getUint32(at + 4, true));
  return {
    mask: told.getUint32(0, true),
    nlink: told.getUint32(16, true),
    uid: told.getUint32(20, true),
    gid: told.getUint32(24, true),
    mode: told.getUint16(28, true),
    ino: told.getBigUint64(32, true),
    size: Number(told.getBigUint64(40, true)),
    rdev: device(128),
    dev: device(136),
    mnt_id: Number(told.getBigUint64(144, true)),
  };
}
