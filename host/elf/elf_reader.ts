/**
 * Reads programs of the host, with `--allow-ffi` alone.
 *
 * @module
 */

import { type Elf, type ReadAt, readElf } from "../../ffi/elf.ts";
import { withRegularFile } from "../../ffi/files/regular_file.ts";
import type { ProgramHost } from "./program_files.ts";

/** The most looks at files: a program may be anybody's, and name libraries without end. */
const MOST_LOOKS = 100_000;

/**
 * Returns the files of the host; each ELF file is read once, and none but regular ones are opened.
 *
 * @param reading is called with the path, without links, of a program or library before it is read
 * @param refuse throws an error with this message
 */
export function programHost(
  reading: (path: string) => void,
  refuse: (issue: string) => never,
): ProgramHost {
  const known = new Map<string, Elf | undefined>();
  let looks = 0;
  const look = () => {
    if (++looks > MOST_LOOKS) refuse("the programs have too many libraries to look for them all");
  };
  const read = <T>(path: string, use: (readAt: ReadAt) => T) => {
    look();
    return withRegularFile(path, (file) => {
      reading(file.path);
      return use((offset, length) => {
        look();
        return file.readAt(offset, length);
      });
    });
  };
  return {
    elf(path) {
      if (!known.has(path)) known.set(path, read(path, readElf));
      return known.get(path);
    },
    head: (path) => read(path, (readAt) => readAt(0, 256)),
    // The system's own lists of libraries.
    bytes: (path) => withRegularFile(path, (file) => file.readAll()),
    realPath: (path) => withRegularFile(path, (file) => file.path) ?? path,
  };
}
