/**
 * The entries of many directories, which are read again only where they have changed.
 *
 * @module
 */

import type { Output } from "../ffi/call.ts";
import { at_fdcwd, S_IFMT } from "../ffi/calls/files.ts";
import { AT_SYMLINK_NOFOLLOW } from "../ffi/calls/mounts.ts";
import {
  readStatx,
  statx,
  STATX_CTIME,
  STATX_INO,
  STATX_MODE,
  STATX_NLINK,
  STATX_TYPE,
  STATX_UID,
  statxOutput,
} from "../ffi/calls/statx.ts";
import { entriesIn } from "../ffi/files/read_dir.ts";
import { ifThere } from "../ffi/missing.ts";
import { syscalls } from "../ffi/syscalls.ts";

/** How many directories are looked at by one run of the engine. */
const AT_ONCE = 128;

/**
 * A directory that has changed so shortly before it was read may have changed again in the same
 * tick of the kernel's clock, which is 10 ms or less.
 */
const SETTLED_MS = 50;

/** The errors for a directory that is gone, or may not be read. */
const GONE = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG"] as const;

/** The names in a directory, with their types in the bits of a mode: `S_IFDIR`. */
export type DirectoryList = ReadonlyMap<string, number>;

/** Who may do what with a directory. */
export interface DirectoryOwner {
  readonly uid: number;
  /** What the owner may do, in the bits of a mode: 0o7 for everything. */
  readonly rights: number;
}

interface Known {
  readonly list: DirectoryList;
  /** What changes with the list: the directory's identity and the time of its last change. */
  readonly stamp: string | undefined;
  readonly owner: DirectoryOwner | undefined;
  used: boolean;
}

/** Lists of directories. */
export class DirectoryLists {
  readonly #known = new Map<string, Known>();

  /** Forgets the directories that have changed, or that were not asked for since the last time. */
  refresh(): void {
    for (const [path, known] of this.#known) {
      if (!known.used || known.stamp === undefined) this.#known.delete(path);
    }
    const paths = [...this.#known.keys()];
    for (let start = 0; start < paths.length; start += AT_ONCE) {
      const part = paths.slice(start, start + AT_ONCE);
      const now = stampsOf(part);
      part.forEach((path, index) => {
        const known = this.#known.get(path)!;
        if (now[index]?.stamp === known.stamp) known.used = false;
        else this.#known.delete(path);
      });
    }
  }

  /** Returns the names in a directory; none where it is gone, or may not be read. */
  of(path: string): DirectoryList {
    return this.#get(path).list;
  }

  /** Returns the owner of a directory; `undefined` where it is gone, or may not be looked at. */
  ownerOf(path: string): DirectoryOwner | undefined {
    return this.#get(path).owner;
  }

  #get(path: string): Known {
    let known = this.#known.get(path);
    if (known === undefined) this.#known.set(path, known = readNow(path));
    known.used = true;
    return known;
  }
}

function readNow(path: string): Known {
  const [before] = stampsOf([path]);
  const isSettled = before !== undefined && before.changed < Date.now() - SETTLED_MS;
  const entries = ifThere(() => entriesIn(path), GONE) ?? [];
  const list = new Map(entries.map(({ name, type }) => [name, type || typeOf(path, name)]));
  const stamp = isSettled ? before.stamp : undefined;
  return { list, stamp, owner: before?.owner, used: true };
}

interface Stamp {
  readonly stamp: string;
  /** When it was changed, in milliseconds. */
  readonly changed: number;
  readonly owner: DirectoryOwner;
}

/** The time of the change of status cannot be set back, unlike that of the contents (utimensat(2)). */
function stampsOf(paths: readonly string[]): (Stamp | undefined)[] {
  const looks = paths.map((path) => {
    const output: Output = statxOutput();
    const mask = STATX_INO | STATX_CTIME | STATX_MODE | STATX_UID;
    return { output, call: statx(at_fdcwd, path, AT_SYMLINK_NOFOLLOW, mask, output) };
  });
  const outcome = syscalls(looks.map(({ call }) => ({ call, accept: GONE })));
  return looks.map(({ output, call }) => {
    if (outcome.result(call) < 0n) return undefined;
    const { dev, ino, ctime, uid, mode } = readStatx(outcome.output(output));
    const owner = { uid, rights: mode >> 6 & 0o7 };
    return { stamp: `${dev}:${ino}:${ctime}`, changed: Number(ctime / 1_000_000n), owner };
  });
}

/** The type of a file where getdents64(2) does not tell it, as on some filesystems. */
function typeOf(directory: string, name: string): number {
  return look(`${directory}/${name}`)?.type ?? 0;
}

const MASK = STATX_TYPE | STATX_MODE | STATX_NLINK;

/** A part of what statx(2) tells of a file. */
export interface FileStatus {
  /** Its type, in the bits of a mode: `S_IFDIR`. */
  readonly type: number;
  /** Its type and permissions. */
  readonly mode: number;
  /** The number of its hard links. */
  readonly nlink: number;
}

/** Returns the status of a file; `undefined` if there is none, or it may not be looked at. */
export function look(path: string): FileStatus | undefined {
  const output = statxOutput();
  const call = statx(at_fdcwd, path, AT_SYMLINK_NOFOLLOW, MASK, output);
  const outcome = syscalls([{ call, accept: GONE }]);
  if (outcome.result(call) < 0n) return undefined;
  const { mode, nlink } = readStatx(outcome.output(output));
  return { type: mode & S_IFMT, mode, nlink };
}
