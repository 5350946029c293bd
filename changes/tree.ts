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
import type { Statx } from "../ffi/calls/statx.ts";
import { entriesOf } from "../ffi/files/read_dir.ts";
import { removeAll } from "../ffi/files/remove_tree.ts";
import { readlinkat, statx, unlinkat } from "../ffi/linux/directories.ts";
import { openat2 } from "../ffi/linux/files.ts";
import type { OwnedFd } from "../ffi/linux/owned_fd.ts";
import { AT_FDCWD } from "../ffi/calls/files.ts";
import { ifThere } from "../ffi/missing.ts";
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
    this.#root = openat2(AT_FDCWD, path, { flags, resolve: RESOLVE_NO_SYMLINKS });
  }

  /** The descriptor of the directory itself. */
  get fd(): number {
    return this.#root.number;
  }

  /** Returns the status of a file; `undefined` if there is none, or no directory on the way. */
  status(path: string): Statx | undefined {
    return ifThere(() => {
      using file = this.open(path, O_PATH | O_NOFOLLOW);
      return statx(file, "", AT_EMPTY_PATH);
    }, ["ENOENT", "ENOTDIR", "ELOOP", "EXDEV"]);
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
