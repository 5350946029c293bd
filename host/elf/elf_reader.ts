/**
 * Reads programs of the host, with `--allow-ffi` alone.
 *
 * @module
 */

import { type Elf, readElf } from "../../ffi/elf.ts";
import { type RegularFile, withRegularFile } from "../../ffi/files/regular_file.ts";
import { ifThere } from "../../ffi/missing.ts";
import type { ProgramHost } from "./program_files.ts";

/**
 * Returns the files of the host; each ELF file is read once, and none but regular ones are opened.
 *
 * @param reading is called with the path, without links, of a program or library before it is read
 */
export function programHost(reading: (path: string) => void): ProgramHost {
  const known = new Map<string, Elf | undefined>();
  const read = <T>(path: string, use: (file: RegularFile) => T) =>
    ifThere(() =>
      withRegularFile(path, (file) => {
        reading(file.path);
        return use(file);
      })
    );
  return {
    elf(path) {
      const elf = (file: RegularFile) => readElf((offset, length) => file.readAt(offset, length));
      if (!known.has(path)) known.set(path, read(path, elf));
      return known.get(path);
    },
    head: (path) => read(path, (file) => file.readAt(0, 256)),
    // The system's own lists of libraries.
    bytes: (path) => ifThere(() => withRegularFile(path, (file) => file.readAll())),
    realPath: (path) => withRegularFile(path, (file) => file.path) ?? path,
  };
}
