/**
 * The headers of an archive on disk, read without what lies between them.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ArchiveError } from "../errors.ts";
import type { TarEntry } from "./entry.ts";
import { BLOCK } from "./header.ts";
import { TarReader } from "./reader.ts";

/** A file of an archive, and where its data begin there. */
export interface IndexedEntry extends TarEntry {
  readonly offset: number;
}

/** The most files of an archive that is read so, and letters of their names. */
const [MOST, MOST_LETTERS] = [1 << 20, 1 << 26];

/**
 * Reads the headers of an archive that is not compressed.
 *
 * @throws {ArchiveError} if it is no tar, or a broken one
 */
export function readTarIndex(path: string): IndexedEntry[] {
  const entries: IndexedEntry[] = [];
  let letters = 0;
  const reader = new TarReader({
    entry: (entry, offset) => {
      letters += entry.name.length + entry.target.length;
      if (letters > MOST_LETTERS) {
        throw new ArchiveError(`the archive has more than ${MOST_LETTERS} letters of names`);
      }
      if (entries.push({ ...entry, offset }) > MOST) {
        throw new ArchiveError(`the archive has more than ${MOST} files`);
      }
    },
    data: () => {},
    end: () => {},
  });
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    const block = new Uint8Array(BLOCK);
    for (let at = 0; at < size;) {
      const count = readSync(fd, block, 0, BLOCK, at);
      reader.push(block.subarray(0, count));
      at += count;
      if (count === 0) break;
      at += reader.skip(size - at);
    }
    reader.finish();
  } finally {
    closeSync(fd);
  }
  return entries;
}
