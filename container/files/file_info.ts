/**
 * The status of a file with the shape of `Deno.FileInfo`.
 *
 * @module
 */

import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../ffi/calls/files.ts";
import { type Statx, STATX_BTIME } from "../../ffi/calls/statx.ts";

/** Returns it. */
export function fileInfo(status: Statx): Deno.FileInfo {
  const { mask, mode, size, dev, ino, nlink, uid, gid, rdev, blksize, blocks } = status;
  const is = (type: number) => (mode & S_IFMT) === type;
  return {
    isFile: is(S_IFREG),
    isDirectory: is(S_IFDIR),
    isSymlink: is(S_IFLNK),
    isBlockDevice: is(S_IFBLK),
    isCharDevice: is(S_IFCHR),
    isFifo: is(S_IFIFO),
    isSocket: is(S_IFSOCK),
    size,
    mtime: dateOf(status.mtime),
    atime: dateOf(status.atime),
    ctime: dateOf(status.ctime),
    birthtime: (mask & STATX_BTIME) === 0 ? null : dateOf(status.btime),
    mode,
    dev,
    ino: Number(ino),
    nlink,
    uid,
    gid,
    rdev,
    blksize,
    blocks,
  };
}

function dateOf(nanoseconds: bigint): Date {
  return new Date(Number(nanoseconds / 1_000_000n));
}
