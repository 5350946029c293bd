/**
 * What is in a folder, with no other permission than that to use FFI.
 *
 * @module
 */

import { Output } from "./call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_DIRECTORY, O_RDONLY, openat } from "./calls/files.ts";
import { type DirectoryEntry, getdents64, readDirectoryEntries } from "./calls/getdents.ts";
import { perform, performAll } from "./perform.ts";

const PART_SIZE = 8 * 1024;

/**
 * All names in the folder, `.` and `..` left out.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, `ENOTDIR`
 */
export function namesIn(path: string): string[] {
  return entriesIn(path).map(({ name }) => name);
}

/**
 * The same, with the type of each.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, `ENOTDIR`
 */
export function entriesIn(path: string): DirectoryEntry[] {
  const folder = perform(openat(at_fdcwd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  try {
    const entries: DirectoryEntry[] = [];
    for (;;) {
      const part = new Output(PART_SIZE, "&entries");
      const list = getdents64(folder, part);
      // A folder that has been removed meanwhile is empty.
      const outcome = performAll([{ call: list, accept: ["ENOENT"] }]);
      const size = Number(outcome.result(list));
      if (size <= 0) return entries;
      entries.push(...readDirectoryEntries(outcome.output(part), size));
    }
  } finally {
    perform(close(folder));
  }
}
