/**
 * Reads programs of the host, with `--allow-ffi` alone.
 *
 * @module
 */

import { Output } from "../../ffi/call.ts";
import {
  AT_FDCWD,
  at_fdcwd,
  O_CLOEXEC,
  O_NONBLOCK,
  O_PATH,
  pread64,
} from "../../ffi/calls/files.ts";
import { type Elf, type ReadAt, readElf } from "../../ffi/elf.ts";
import { ifThere } from "../../ffi/missing.ts";
import { syscalls } from "../../ffi/syscalls.ts";
import { open } from "../../ffi/linux/files.ts";
import { readlinkat } from "../../ffi/linux/directories.ts";
import { readWholeFile } from "../../ffi/files/read_file.ts";
import type { ProgramHost } from "./program_files.ts";

/** The most bytes of one read. */
const MOST_AT_ONCE = 64 * 1024;

/** Returns the files of the host; each ELF file is read once. */
export function programHost(): ProgramHost {
  const known = new Map<string, Elf | undefined>();
  return {
    elf(path) {
      if (!known.has(path)) known.set(path, withFile(path, readElf));
      return known.get(path);
    },
    head: (path) => withFile(path, (readAt) => readAt(0, 256)),
    bytes: (path) => ifThere(() => readWholeFile(at_fdcwd, path)),
    realPath(path) {
      using file = open(path, O_PATH | O_CLOEXEC);
      return readlinkat(AT_FDCWD, `/proc/self/fd/${file.number}`);
    },
  };
}

/** Returns what `use` reads of a file; `undefined` if there is none. */
function withFile<T>(path: string, use: (readAt: ReadAt) => T): T | undefined {
  return ifThere(() => {
    // O_NONBLOCK: the open of a pipe would block.
    using file = open(path, O_CLOEXEC | O_NONBLOCK);
    return use((offset, length) => readSome(file.number, offset, length));
  });
}

function readSome(fd: number, offset: number, length: number): Uint8Array {
  const output = new Output(Math.min(length, MOST_AT_ONCE), "&bytes");
  const call = pread64(fd, output, output.size, offset);
  const outcome = syscalls([{ call }]);
  const { buffer, byteOffset } = outcome.output(output);
  return new Uint8Array(buffer, byteOffset, Number(outcome.result(call))).slice();
}
