/**
 * The names in a directory. See getdents64(2).
 *
 * @module
 */

import { type Call, call, type Fd, type Output } from "../call.ts";
import { decodeName } from "../file_name.ts";

/** Returns the next names in an open directory; none at the end. See getdents64(2). */
export function getdents64(directory: Fd, entries: Output): Call {
  return call("getdents64", directory, entries, entries.size);
}

/** A name in a directory. */
export interface DirectoryEntry {
  /** Its inode. */
  readonly ino: bigint;
  /** Its type, as in the mode of a file: `S_IFDIR`; 0 if the filesystem does not report it. */
  readonly type: number;
  readonly name: string;
}

// struct linux_dirent64 (include/linux/dirent.h)
const ENTRY = { ino: 0, reclen: 16, type: 18, name: 19 } as const;
// A DT_ constant is the type in a mode, shifted by this much (DTTOIF of dirent.h).
const TYPE_SHIFT = 12;

/** The entries that getdents64(2) returned, `size` bytes of them; `.` and `..` are left out. */
export function readDirectoryEntries(entries: DataView, size: number): DirectoryEntry[] {
  const found: DirectoryEntry[] = [];
  for (let start = 0; start < size;) {
    const length = entries.getUint16(start + ENTRY.reclen, true);
    const bytes = new Uint8Array(entries.buffer, entries.byteOffset + start, length);
    const name = decodeName(bytes.subarray(ENTRY.name, bytes.indexOf(0, ENTRY.name)));
    if (name !== "." && name !== "..") {
      const type = entries.getUint8(start + ENTRY.type) << TYPE_SHIFT;
      found.push({ ino: entries.getBigUint64(start + ENTRY.ino, true), type, name });
    }
    start += length;
  }
  return found;
}
