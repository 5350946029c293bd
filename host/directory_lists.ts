/**
 * The entries of many directories, which are read again only where they have changed.
 *
 * @module
 */

import { Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  S_IFMT,
} from "../ffi/calls/files.ts";
import { type DirectoryEntry, getdents64, readDirectoryEntries } from "../ffi/calls/getdents.ts";
import { AT_SYMLINK_NOFOLLOW } from "../ffi/calls/mounts.ts";
import {
  readStatx,
  statx,
  STATX_CTIME,
  STATX_INO,
  STATX_MODE,
  STATX_NLINK,
  STATX_SIZE,
  STATX_TYPE,
  STATX_UID,
  statxOutput,
  statxStamp,
} from "../ffi/calls/statx.ts";
import { engine } from "../ffi/engine/engine.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { assemble, Label, type SyscallProgram } from "../ffi/engine/program.ts";
import { entriesIn } from "../ffi/files/read_dir.ts";
import { ifThere } from "../ffi/missing.ts";
import { checkResult } from "../ffi/syscalls.ts";
import { KeptTable, PATH_MAX } from "./kept_table.ts";

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
  /** What changes with the list; see {@linkcode statxStamp}. */
  readonly stamp: string | undefined;
  readonly owner: DirectoryOwner | undefined;
  used: boolean;
}

/** Lists of directories. */
export class DirectoryLists {
  readonly #known = new Map<string, Known>();
  /** What looks at the directories that are known, until others are, where these are few. */
  #looks: DirectoryLooks | undefined;

  /** Forgets the directories that have changed, or that were not asked for since the last time. */
  refresh(): void {
    for (const [path, known] of this.#known) {
      if (!known.used || known.stamp === undefined) this.#forget(path);
    }
    const paths = [...this.#known.keys()];
    if (paths.length <= AT_ONCE) return this.#compare(this.#looks ??= new DirectoryLooks(paths));
    for (let start = 0; start < paths.length; start += AT_ONCE) {
      this.#compare(new DirectoryLooks(paths.slice(start, start + AT_ONCE)));
    }
  }

  #compare(looks: DirectoryLooks): void {
    looks.stamps().forEach((stamp, index) => {
      const path = looks.paths[index]!;
      const known = this.#known.get(path)!;
      if (stamp === known.stamp) known.used = false;
      else this.#forget(path);
    });
  }

  #forget(path: string): void {
    this.#known.delete(path);
    this.#looks = undefined;
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
    if (known === undefined) {
      this.#known.set(path, known = readNow(path));
      this.#looks = undefined;
    }
    known.used = true;
    return known;
  }
}

/** The bytes of names that one call reads. */
const NAMES_SIZE = 32 * 1024;

/** The tables by which files are looked at. */
const tables = perEngine(() => ({ directory: directoryTable(), file: fileTable() }));

/** The numbers of the calls in {@linkcode directoryTable}. */
const [OPENED, NAMES, FURTHER_NAMES] = [1, 2, 3];

/** Looks at a directory, and reads its names; `more` says that it has more of them. */
function directoryTable(): KeptTable {
  const [path, stat] = [new Output(PATH_MAX, "&path"), statxOutput()];
  const [names, more] = [new Output(NAMES_SIZE, "&names"), new Output(NAMES_SIZE, "&more")];
  const [closing, end] = [new Label("closing"), new Label("end")];
  const opened = openat(at_fdcwd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "directory");
  // A directory that was removed in the meantime is empty (ENOENT).
  return new KeptTable(path, [stat, names], [
    { call: statx(at_fdcwd, path, AT_SYMLINK_NOFOLLOW, OF_DIRECTORY, stat), ...orEnd(end) },
    { call: opened, ...orEnd(end) },
    { call: getdents64(fd, names), accept: ["ENOENT"], onFailure: closing },
    { call: getdents64(fd, more), accept: ["ENOENT"], onFailure: closing },
    closing,
    { call: close(fd) },
    end,
  ]);
}

/** Looks at a file. */
function fileTable(): KeptTable {
  const [path, stat] = [new Output(PATH_MAX, "&path"), statxOutput()];
  const call = statx(at_fdcwd, path, AT_SYMLINK_NOFOLLOW, OF_FILE, stat);
  return new KeptTable(path, [stat], [{ call, accept: GONE }]);
}

function orEnd(end: Label) {
  return { accept: GONE, onAccepted: end };
}

function readNow(path: string): Known {
  const table = tables().directory;
  if (table.run(path) < 0) {
    return { list: new Map(), stamp: undefined, owner: undefined, used: false };
  }
  const stat = table.outputs[0]!;
  const [{ ctime, uid, mode }, stamp] = [readStatx(stat), statxStamp(stat)];
  const owner = { uid, rights: mode >> 6 & 0o7 };
  const list = new Map<string, number>();
  for (const { name, type } of namesOf(table, path)) {
    list.set(name, type || (look(`${path}/${name}`)?.type ?? 0));
  }
  const isSettled = Number(ctime / 1_000_000n) < Date.now() - SETTLED_MS;
  return { list, stamp: isSettled ? stamp : undefined, owner, used: false };
}

/** Returns the names that a table has read. */
function namesOf(table: KeptTable, path: string): readonly DirectoryEntry[] {
  if (table.result(OPENED) < 0 || table.result(NAMES) <= 0) return [];
  if (table.result(FURTHER_NAMES) > 0) return ifThere(() => entriesIn(path), GONE) ?? [];
  return readDirectoryEntries(table.outputs[1]!, table.result(NAMES));
}

/** Looks at the same directories, as often as it is asked to. */
class DirectoryLooks {
  readonly paths: readonly string[];
  readonly #outputs: readonly Output[];
  readonly #program: SyscallProgram;

  constructor(paths: readonly string[]) {
    this.paths = paths;
    this.#outputs = paths.map(statxOutput);
    const looks = paths.map((path, index) =>
      statx(at_fdcwd, path, AT_SYMLINK_NOFOLLOW, OF_DIRECTORY, this.#outputs[index]!)
    );
    const parts = looks.map((call) => ({ call, accept: GONE }));
    this.#program = assemble(parts, engine().architecture);
  }

  /** The stamps of the directories as they are now; none of one that is gone. */
  stamps(): readonly (string | undefined)[] {
    if (this.paths.length === 0) return [];
    const outcome = checkResult(engine().runInArena(this.#program));
    return this.#program.calls.map((call, index) =>
      outcome.result(call) < 0n ? undefined : statxStamp(outcome.output(this.#outputs[index]!))
    );
  }
}

const OF_DIRECTORY = STATX_INO | STATX_CTIME | STATX_MODE | STATX_UID;
const OF_FILE = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_SIZE;

/** A part of what statx(2) tells of a file. */
export interface FileStatus {
  /** Its type, in the bits of a mode: `S_IFDIR`. */
  readonly type: number;
  /** Its type and permissions. */
  readonly mode: number;
  /** The number of its hard links. */
  readonly nlink: number;
  readonly size: number;
}

/** Returns the status of a file; `undefined` if there is none, or it may not be looked at. */
export function look(path: string): FileStatus | undefined {
  const table = tables().file;
  if (table.run(path) < 0) return undefined;
  const { mode, nlink, size } = readStatx(table.outputs[0]!);
  return { type: mode & S_IFMT, mode, nlink, size };
}
