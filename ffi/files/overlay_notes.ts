/**
 * What an overlay filesystem notes in its upper directory, which holds the changes: whiteouts for what
 * was removed, and attributes. See Documentation/filesystems/overlayfs.rst.
 *
 * @module
 */

import { S_IFCHR, S_IFMT } from "../calls/constants/files.ts";
import type { Statx } from "../calls/statx.ts";

/** An extended attribute. */
export interface Xattr {
  readonly name: string;
  readonly value: Uint8Array;
}

/** The attributes of overlay filesystems: those of root, and those in a user namespace (userxattr). */
const OVERLAY = /^(?:trusted|user)\.overlay\.(.*)$/;
/** Those that say nothing of the contents of a file. */
const HARMLESS: readonly string[] = ["origin", "impure", "nlink", "uuid", "protattr"];

/** What the attributes of a file say. */
export interface OverlayNotes {
  /** Whether a directory has nothing of the lower one with its name. */
  readonly opaque: boolean;
  /** Whether the file was copied from the lower directory. */
  readonly copied: boolean;
  /** The attribute that says that a part of the file is elsewhere. */
  readonly elsewhere: string | undefined;
}

/** Reads the attributes of a file or directory in an upper directory. */
export function overlayNotes(xattrs: readonly Xattr[]): OverlayNotes {
  let [opaque, copied, elsewhere]: [boolean, boolean, string | undefined] = [
    false,
    false,
    undefined,
  ];
  for (const { name, value } of xattrs) {
    const note = OVERLAY.exec(name)?.[1];
    if (note === undefined) continue;
    if (note === "origin") copied = true;
    // "x" says that whiteouts may be ordinary files with an attribute.
    if (note === "opaque") opaque ||= value.length === 1 && value[0] === 0x79;
    else if (!HARMLESS.includes(note)) elsewhere ??= name;
  }
  return { opaque, copied, elsewhere };
}

/** Whether an attribute is one of an overlay filesystem. */
export function isOverlayNote(name: string): boolean {
  return OVERLAY.test(name);
}

/** Whether a file in an upper directory says that one with its name was removed. */
export function isWhiteout({ mode, rdev }: Pick<Statx, "mode" | "rdev">): boolean {
  return (mode & S_IFMT) === S_IFCHR && rdev === 0;
}
