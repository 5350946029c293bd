/**
 * The files of an audited container as its programs see them, and those of the host: whether a file
 * is there, and whether it can be changed.
 *
 * @module
 */

import { type Call, Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  openat,
  openat2,
  readlinkat,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from "../ffi/calls/files.ts";
import { fstatfs, readStatfs, statfsOutput } from "../ffi/calls/statfs.ts";
import { END } from "../ffi/engine/program.ts";
import { SyscallError } from "../ffi/errors.ts";
import { decodeName } from "../ffi/file_name.ts";
import { NO_SUCH_PATH } from "../ffi/missing.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { withoutDots } from "../recipe/path.ts";

/** What there is at a path. */
export type FileState = "missing" | "readOnly" | "writable" | "unknown";

/** ST_RDONLY of statfs(2). */
const READ_ONLY = 1;

/** The files of a container. */
export class ContainerFiles {
  readonly #root: number;

  /** Opens the root of a process. */
  constructor(pid: number) {
    this.#root = syscall(
      openat(at_fdcwd, `/proc/${pid}/root`, O_PATH | O_DIRECTORY | O_CLOEXEC, 0),
    );
  }

  /** What is at a path in the container; a link at its end is followed, or not. */
  stateOf(path: string, follow: boolean): FileState {
    const flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return stateOf(openat2(this.#root, path, { flags, resolve }));
  }

  /** What is at a path of the host. */
  static onHost(path: string): FileState {
    return stateOf(openat(at_fdcwd, path, O_PATH | O_CLOEXEC, 0));
  }

  /** Closes the root. */
  close(): void {
    syscall(close(this.#root));
  }
}

function stateOf(open: Call): FileState {
  const told = statfsOutput();
  const fd = new ResultOf(open, "file");
  try {
    const result = syscalls([
      { call: open, accept: NO_SUCH_PATH, onAccepted: END },
      { call: fstatfs(fd, told) },
      { call: close(fd) },
    ]);
    if (result.result(open) < 0n) return "missing";
    return (readStatfs(result.output(told)).flags & READ_ONLY) === 0 ? "writable" : "readOnly";
  } catch (error) {
    if (error instanceof SyscallError) return "unknown";
    throw error;
  }
}

/**
 * Returns the absolute path that a program means, by its working directory or an open directory;
 * `undefined` where that cannot be read.
 */
export function absolutePathOf(
  path: string,
  pid: number,
  directory: number | undefined,
): string | undefined {
  if (path.startsWith("/")) return withoutDots(path);
  const link = directory === undefined || directory === AT_FDCWD
    ? `/proc/${pid}/cwd`
    : `/proc/${pid}/fd/${directory}`;
  const base = linkAt(link);
  return base?.startsWith("/") ? withoutDots(`${base}/${path}`) : undefined;
}

const AT_FDCWD = -100;

function linkAt(path: string): string | undefined {
  const target = new Output(4096, "&target");
  const read = readlinkat(at_fdcwd, path, target);
  try {
    const result = syscalls([{ call: read }]);
    const { buffer, byteOffset } = result.output(target);
    const length = Number(result.result(read));
    return decodeName(new Uint8Array(buffer as ArrayBuffer, byteOffset, length));
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
