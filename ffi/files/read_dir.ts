/**
 * The entries of a directory, read with `--allow-ffi` alone.
 *
 * @module
 */

import { Output } from "../call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_DIRECTORY, O_RDONLY, openat } from "../calls/files.ts";
import { type DirectoryEntry, getdents64, readDirectoryEntries } from "../calls/getdents.ts";
import { syscall, syscalls } from "../syscalls.ts";

const PART_SIZE = 8 * 1024;

/**
 * Returns the names in the directory, without `.` and `..`.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, `ENOTDIR`
 */
export function namesIn(path: string): string[] {
  return entriesIn(path).map(({ name }) => name);
}

/**
 * Returns the entries of the directory, without `.` and `..`: their names and types.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, `ENOTDIR`
 */
export function entriesIn(path: string): DirectoryEntry[] {
  const directory = syscall(openat(at_fdcwd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  try {
    return entriesOf(directory);
  } finally {
    syscall(close(directory));
  }
}

/** Returns the entries of an open directory from where it has been read to. */
export function entriesOf(directory: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const part = new Output(PART_SIZE, "&entries");
    const list = getdents64(directory, part);
    // A directory that was removed in the meantime is empty.
    const outcome = syscalls([{ call: list, accept: ["ENOENT"] }]);
    const size = Number(outcome.result(list));
    if (size <= 0) return entries;
    entries.push(...readDirectoryEntries(outcome.output(part), size));
  }
}
