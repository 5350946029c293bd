/**
 * What an archive says of a file.
 *
 * @module
 */

import type { Xattr } from "../../../ffi/files/overlay_notes.ts";

/** The kind of a file in an archive. */
export type EntryKind =
  | "file"
  | "hardlink"
  | "symlink"
  | "character"
  | "block"
  | "directory"
  | "fifo";

/** A point in time, before 1970 too. */
export interface Time {
  /** Whole seconds since 1970, rounded down. */
  readonly seconds: number;
  /** 0 to 999,999,999 nanoseconds more. */
  readonly nanoseconds: number;
}

/** A part of a sparse file that holds data. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** The owner, mode, time and attributes of a file. */
export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  /** The permissions, with setuid, setgid and the sticky bit. */
  readonly mode: number;
  readonly mtime: Time;
  readonly xattrs: readonly Xattr[];
}

/** A file of an archive. Names are bytes, as strings of {@linkcode decodeName}. */
export interface TarEntry extends Attributes {
  readonly name: string;
  readonly kind: EntryKind;
  /** The target of a link. */
  readonly target: string;
  /** The size of a regular file, with its holes. */
  readonly size: number;
  /** How many bytes of it the archive holds. */
  readonly stored: number;
  /** What holds data, where the file has holes. */
  readonly segments: readonly Segment[] | undefined;
  /** The numbers of a device. */
  readonly major: number;
  readonly minor: number;
  /** What the archive says of the file beyond this, which is left out: its access list. */
  readonly unread: readonly string[];
}
