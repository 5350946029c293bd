/**
 * A directory of this machine and what is in it, reached without following a link, whatever is done in
 * it meanwhile.
 *
 * @module
 */

import { AT_EMPTY_PATH, AT_REMOVEDIR } from "../ffi/calls/constants/at.ts";
import { S_IFDIR, S_IFMT } from "../ffi/calls/constants/files.ts";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../ffi/calls/constants/open.ts";
import { STATX_BASIC_STATS } from "../ffi/calls/constants/statx.ts";
import { readStatx, type Statx, statx, statxOutput } from "../ffi/calls/statx.ts";
import * as calls from "../ffi/calls/files.ts";
import { ResultOf } from "../ffi/call.ts";
import { END } from "../ffi/engine/program.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { entriesOf } from "../ffi/files/read_dir.ts";
import { removeAll } from "../ffi/files/remove_tree.ts";
import { readlinkat, unlinkat } from "../ffi/linux/directories.ts";
import { openat2 } from "../ffi/linux/files.ts";
import type { OwnedFd } from "../ffi/linux/owned_fd.ts";
import { nameOf } from "../recipe/path.ts";

const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

/** A file: the open directory that it is in, and its name there. */
export interface Place extends Disposable {
  readonly directory: OwnedFd;
  readonly name: string;
}

/** A directory. Paths in it are relative: `menu/soup.txt`, or `.` for itself. */
export class Tree implements Disposable {
  /** Its path. */
  readonly path: string;
  readonly #root: OwnedFd;

  /**
   * Opens it.
   *
   * @param path without symbolic links
   * @throws {SyscallError} `ENOENT`, `ENOTDIR`, `ELOOP` where there is a link on the way now
   */
  constructor(path: string) {
    this.path = path;
    const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    this.#root = openat2(calls.AT_FDCWD, path, { flags, resolve: RESOLVE_NO_SYMLINKS });
  }

  /** The descriptor of the directory itself. */
  get fd(): number {
    return this.#root.number;
  }

  /** Returns the status of a file; `undefined` if there is none, or no directory on the way. */
  status(path: string): Statx | undefined {
    const how = { flags: O_PATH | O_NOFOLLOW | O_CLOEXEC, resolve: RESOLVE };
    const opened = calls.openat2(this.fd, path, how);
    const fd = new ResultOf(opened, "<file>");
    const status = statxOutput();
    const outcome = syscalls([
      { call: opened, accept: ["ENOENT", "ENOTDIR", "ELOOP", "EXDEV"], onAccepted: END },
      { call: statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, status) },
      { call: calls.close(fd) },
    ]);
    return Number(outcome.result(opened)) < 0 ? undefined : readStatx(outcome.output(status));
  }

  /** Returns where a symbolic link leads. */
  target(path: string): string {
    using place = this.place(path);
    return readlinkat(place.directory, place.name);
  }

  /** Opens a file. */
  open(path: string, flags: number): OwnedFd {
    return openat2(this.#root, path, { flags: flags | O_CLOEXEC, resolve: RESOLVE });
  }

  /** Opens the directory that a file is in. */
  place(path: string): Place {
    const slash = path.lastIndexOf("/");
    const directory = this.open(slash < 0 ? "." : path.slice(0, slash), O_PATH | O_DIRECTORY);
    return { directory, name: nameOf(`/${path}`), [Symbol.dispose]: () => directory.close() };
  }

  /** Returns the names in a directory. */
  names(path: string): readonly string[] {
    using directory = this.open(path, O_RDONLY | O_DIRECTORY);
    return entriesOf(directory.number).map(({ name }) => name);
  }

  /** Returns a file of those at the path and below whose status has changed since a time. */
  changedSince(path: string, time: bigint): string | undefined {
    const status = this.status(path);
    if (status === undefined) return undefined;
    if (status.ctime > time) return path;
    if ((status.mode & S_IFMT) !== S_IFDIR) return undefined;
    for (const name of this.names(path)) {
      const found = this.changedSince(`${path}/${name}`, time);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Removes a directory with all that is in it, if it is there. */
  async remove(path: string): Promise<void> {
    if (this.status(path) === undefined) return;
    {
      using directory = this.open(path, O_PATH | O_DIRECTORY);
      await removeAll(directory.number);
    }
    using place = this.place(path);
    unlinkat(place.directory, place.name, AT_REMOVEDIR);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#root.close();
  }
}
