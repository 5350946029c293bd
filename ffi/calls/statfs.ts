/**
 * The state of a filesystem.
 *
 * @module
 */

import { type Call, call, type Fd, Output } from "../call.ts";

/** Returns the state of the filesystem that a file is on. See statfs(2). */
export function statfs(path: string, state: Output): Call {
  return call("statfs", path, state);
}

/** Reports on the filesystem that an open file is in. See fstatfs(2). */
export function fstatfs(fd: Fd, told: Output): Call {
  return call("fstatfs", fd, told);
}

/** Memory for what statfs(2) returns. */
export function statfsOutput(): Output {
  return new Output(120, "&statfs");
}

/** The state of a filesystem: struct statfs (asm-generic/statfs.h). */
export interface FilesystemState {
  /** The magic number of its type (linux/magic.h). */
  readonly type: number;
  /** The size of a block, in bytes. */
  readonly bsize: number;
  /** How many blocks there are. */
  readonly blocks: number;
  /** How many of them are free. */
  readonly bfree: number;
  /** How many of them an unprivileged user can have. */
  readonly bavail: number;
  /** How many inodes there are. */
  readonly files: number;
  /** How many of them are free. */
  readonly ffree: number;
  /** The flags of the mount: `ST_RDONLY` is 1 (linux/statfs.h). */
  readonly flags: number;
}

/** What statfs(2) returned. */
export function readStatfs(state: DataView): FilesystemState {
  const word = (index: number) => Number(state.getBigUint64(index * 8, true));
  return {
    type: word(0),
    bsize: word(1),
    blocks: word(2),
    bfree: word(3),
    bavail: word(4),
    files: word(5),
    ffree: word(6),
    flags: word(10),
  };
}
