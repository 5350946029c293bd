/**
 * The journal of a commit: what is to be done, written before any of it is, so that a later process
 * can finish what a killed one has begun, or undo its preparations.
 *
 * @module
 */

import { S_IFDIR, S_IFMT } from "../ffi/calls/constants/files.ts";
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } from "../ffi/calls/constants/open.ts";
import { renameat2 } from "../ffi/calls/files.ts";
import type { Statx } from "../ffi/calls/statx.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { unlinkat } from "../ffi/linux/directories.ts";
import { openat, write } from "../ffi/linux/files.ts";
import { ifThere } from "../ffi/missing.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { FoundChange } from "./compare.ts";
import { ChangesError } from "./errors.ts";

/** What a file of the host has to be for a change to be made: the one that was compared. */
export interface Identity {
  readonly ino: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: string;
}

/** A change that is to be made. */
export interface JournalEntry {
  /** The number of the directory. */
  readonly directory: number;
  /** The path in it. */
  readonly path: string;
  /** The file on the host before; left out if there was none. */
  readonly before?: Identity;
  /** What the file becomes; left out if it is removed. */
  readonly after?: {
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly size: number;
    /** In nanoseconds since 1970. */
    readonly mtime: string;
    readonly target?: string;
    /** Which of the files with several names it is a name of. */
    readonly inode?: string;
    /** The file of the upper directory, to see that it is the one that was compared. */
    readonly ino: string;
  };
}

/** A directory in which changes are made. */
export interface JournalDirectory {
  readonly path: string;
  /** The number of the directory in the place of the changes. */
  readonly name: string;
}

/** The whole commit. */
export interface Journal {
  readonly version: 1;
  /**
   * How far it has got: while it prepares, nothing of the host has changed but for a directory of its
   * own, and it can be given up; then all of it is to be done.
   */
  readonly state: "prepare" | "commit";
  /** By which its own directories are known: `.ramekin-ID`. */
  readonly id: string;
  readonly directories: readonly JournalDirectory[];
  readonly entries: readonly JournalEntry[];
}

const [NAME, NEW] = ["commit.json", "commit.new"];

/** Writes the journal; it is there as a whole, or as it was before. */
export function writeJournal(place: number, journal: Journal): void {
  ifThere(() => unlinkat(place, NEW));
  {
    using file = openat(place, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600);
    let bytes = new TextEncoder().encode(JSON.stringify(journal));
    while (bytes.length > 0) bytes = bytes.subarray(write(file, bytes));
  }
  syscall(renameat2(place, NEW, place, NAME, 0));
}

/**
 * Reads the journal; `undefined` if there is none.
 *
 * @throws {ChangesError} if it is of another version of Ramekin
 */
export function readJournal(place: number, path: string): Journal | undefined {
  const text = ifThere(() => readWholeText(place, NAME));
  if (text === undefined) return undefined;
  const journal: Journal = JSON.parse(text);
  if (journal.version === 1) return journal;
  throw new ChangesError(`${path}/${NAME} is a journal of another version of Ramekin`, {
    code: "place",
  });
}

/** Removes the journal. */
export function removeJournal(place: number): void {
  ifThere(() => unlinkat(place, NAME));
}

/** Returns what is to be done for a change. */
export function entryOf(
  directory: number,
  { path, host, upper, after }: FoundChange,
): JournalEntry {
  return {
    directory,
    path,
    ...(host !== undefined && { before: identityOf(host) }),
    ...(upper !== undefined && {
      after: {
        mode: upper.mode,
        uid: upper.uid,
        gid: upper.gid,
        size: upper.size,
        mtime: String(upper.mtime),
        ino: String(upper.ino),
        ...(after?.target !== undefined && { target: after.target }),
        ...(upper.nlink > 1 && !isDirectoryMode(upper.mode) &&
          { inode: `${upper.dev}:${upper.ino}` }),
      },
    }),
  };
}

function identityOf({ ino, mode, size, mtime }: Statx): Identity {
  return { ino: String(ino), mode, size, mtime: String(mtime) };
}

/** Whether a file is the one that was compared. What is made in a directory changes its size and time. */
export function isSame(before: Identity | undefined, now: Statx | undefined): boolean {
  if (before === undefined || now === undefined) return before === undefined && now === undefined;
  if (before.ino !== String(now.ino) || (before.mode & S_IFMT) !== (now.mode & S_IFMT)) {
    return false;
  }
  return isDirectoryMode(now.mode) ||
    before.size === now.size && before.mtime === String(now.mtime);
}

/** Whether a mode is that of a directory. */
export function isDirectoryMode(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}
