/**
 * Where files are looked up: in a container, or on this machine. What is done there is a list of
 * calls, so that all else, copying above all, is written once for both.
 *
 * @module
 */

import { type Call, type Fd, type Output, ResultOf } from "../../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOCTTY,
  O_NONBLOCK,
  O_PATH,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../../ffi/calls/mounts.ts";
import { type Statx, statx, STATX_BASIC_STATS, STATX_BTIME } from "../../ffi/calls/statx.ts";
import { readStatx, statxOutput } from "../../ffi/calls/statx.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { failureOf } from "../../ffi/engine/failure.ts";
import { assemble, END } from "../../ffi/engine/program.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { errnoName } from "../../ffi/errno.ts";
import { fixFor } from "../../ffi/fix.ts";
import { syscall } from "../../ffi/syscalls.ts";
import type { VisitCall, Visited } from "../../launch/visit.ts";

/** A place with files. */
export interface Place {
  /** How paths from its root are resolved. */
  readonly resolve: number;
  /**
   * Makes calls there, with the place's root as the working directory where it has one.
   *
   * @throws {SyscallError} with the call that failed; nothing that was opened is left open
   */
  make(calls: readonly VisitCall[]): Visited;
  /** The name of a file there, for errors. */
  named(path: string): string;
}

/** A file of a place: by its path, or by its name in an open directory. */
export interface Spot {
  readonly place: Place;
  /** The directory, or `undefined` for the root of the place. */
  readonly directory?: number | undefined;
  /** The path from the root, or the name in the directory. */
  readonly path: string;
  /** The path from the root, for errors. */
  readonly shown: string;
}

/** The files of a container. */
export const IN_ROOT: number = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
/** A name in a directory, which leads to nowhere else. */
const NAME: number = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/** This machine, as the script sees it. */
export const HERE: Place = {
  resolve: 0,
  named: (path) => path,
  make(calls) {
    const records = calls.map(({ call, accept = [] }) => ({ call, accept, onFailure: END }));
    const result = engine().run(assemble(records, engine().architecture));
    const failure = failureOf(result);
    // What is not for the caller is closed, as it is in a container at the end of the process there.
    const fds = new Map<Call, number>();
    for (const { call, sends } of calls) {
      const fd = call.name === "openat2" ? Number(result.result(call)) : -1;
      if (fd < 0) continue;
      if (sends === true && failure === undefined) fds.set(call, fd);
      else if (fd > 0) syscall(close(fd));
    }
    if (failure === undefined) return { result, fds };
    const { fixes } = calls.find(({ call }) => call === failure.call)!;
    throw new SyscallError({
      syscall: failure.name,
      errno: failure.errno,
      call: failure.text,
      hint: fixFor(fixes, errnoName(failure.errno)),
    });
  },
};

/** Opens a file; what is not a regular file never blocks, and is no terminal of anybody's. */
export function opening({ place, directory, path }: Spot, flags: number, mode = 0): Call {
  const how = {
    flags: flags | O_CLOEXEC | ((flags & O_PATH) === 0 ? O_NONBLOCK | O_NOCTTY : 0),
    mode,
    resolve: directory === undefined ? place.resolve : NAME,
  };
  return openat2(directory ?? at_fdcwd, path, how);
}

/** The status of an open file. */
export class Status {
  readonly #output: Output = statxOutput();
  readonly call: Call;

  constructor(fd: Fd) {
    this.call = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, this.#output);
  }

  /** Reads it once the call is made. */
  of({ result }: Visited): Statx {
    return readStatx(result.output(this.#output));
  }
}

/** Opens the directory in which a file lies, and returns that and the file's own name. */
export function parentOf({ directory, path, place }: Spot): {
  readonly calls: readonly VisitCall[];
  readonly parent: Fd;
  readonly name: string;
} {
  if (directory !== undefined) return { calls: [], parent: directory, name: path };
  const trimmed = path.replace(/\/+$/, "");
  const at = trimmed.lastIndexOf("/");
  const [above, name] = [trimmed.slice(0, Math.max(at, 0)), trimmed.slice(at + 1)];
  if (["", ".", ".."].includes(name)) {
    throw new TypeError(`${JSON.stringify(path)} names no file in a directory`);
  }
  const before = at < 0 ? "." : above === "" ? "/" : above;
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const call = openat2(at_fdcwd, before, { flags, resolve: place.resolve });
  return { calls: [{ call }], parent: new ResultOf(call, "directory"), name };
}
