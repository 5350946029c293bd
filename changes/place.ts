/**
 * Where changes are kept until they are made or thrown away, and what killed scripts have left there.
 *
 * @module
 */

import { AT_EMPTY_PATH, AT_REMOVEDIR } from "../ffi/calls/constants/at.ts";
import { LOCK_EX, LOCK_NB, S_IFDIR, S_IFMT } from "../ffi/calls/constants/files.ts";
import { O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from "../ffi/calls/constants/open.ts";
import { AT_FDCWD, flock } from "../ffi/calls/files.ts";
import { environmentVariable } from "../ffi/environment.ts";
import { removeAll } from "../ffi/files/remove_tree.ts";
import { mkdirat, readlinkat, statx, unlinkat } from "../ffi/linux/directories.ts";
import { open, openat } from "../ffi/linux/files.ts";
import type { OwnedFd } from "../ffi/linux/owned_fd.ts";
import { geteuid } from "../ffi/linux/users.ts";
import { SyscallError } from "../ffi/errors.ts";
import { ifThere } from "../ffi/missing.ts";
import { syscall } from "../ffi/syscalls.ts";
import { isWithin, parentOf } from "../recipe/path.ts";
import { Commit, isGone } from "./commit.ts";
import { ChangesError } from "./errors.ts";
import { type Journal, readJournal } from "./journal.ts";
import { Tree } from "./tree.ts";

/** A commit that was cut off, and is finished. */
export interface FinishedCommit {
  /** The directories. */
  readonly directories: readonly string[];
  /** The paths at which somebody has changed the host meanwhile, which stay as they are. */
  readonly left: readonly string[];
}

/**
 * The directory in which changes are kept: `ramekin/held` in `XDG_STATE_HOME`, which is ~/.local/state.
 * There a sandbox writes nothing: it is one of `PROTECTED_NAMES`, as who writes to it can have any
 * file of this user changed by the next `hold()`.
 *
 * @throws {ChangesError} without HOME
 */
export function placeOfChanges(): string {
  const [state, home] = ["XDG_STATE_HOME", "HOME"].map(environmentVariable);
  // The specification of the base directories says to ignore relative ones.
  if (state?.startsWith("/")) return `${state}/ramekin/held`;
  if (home?.startsWith("/")) return `${home}/.local/state/ramekin/held`;
  throw new ChangesError("there is no place for changes: HOME is not set", {
    code: "place",
    advice: ["set XDG_STATE_HOME to a directory of yours that no sandbox may write to"],
  });
}

/** Options of {@linkcode finishCommits}. */
export interface FinishOptions {
  /** The directory in which changes are kept, if it is not the usual one. */
  readonly place?: string;
  /** Whether what is left of a commit that had begun is thrown away, and is not made. */
  readonly discard?: boolean;
}

/** The place of one holder, which nobody else uses as long as it is open. */
export class ChangesPlace implements Disposable {
  /** Its path, without symbolic links. */
  readonly path: string;
  readonly #lock: OwnedFd;

  private constructor(path: string, lock: OwnedFd) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes a place outside of the directories that are held. What killed scripts have left is cleared
   * away first, and their commits are finished.
   *
   * @throws {ChangesError} if it lies in one of these, is open to others, or may not be made
   * @throws {SyscallError} if it cannot be made
   */
  static async make(held: readonly string[], asked: string): Promise<{
    readonly place: ChangesPlace;
    readonly finished: readonly FinishedCommit[];
  }> {
    const finished = await finishCommits({ place: asked });
    using root = openRoot(asked, true);
    const path = pathOf(root);
    const around = held.find((directory) => isWithin(path, directory));
    if (around !== undefined) {
      throw new ChangesError(`the place for changes, ${asked}, lies in ${around}, which is held`, {
        code: "place",
        advice: [
          "hold a directory that it is not in (--allow-write=DIRECTORY of ramekin try)",
          "or name another place: XDG_STATE_HOME, or the option place",
        ],
      });
    }
    // Nobody clears away what is just being made.
    syscall(flock(root.number, LOCK_EX));
    const id = newId();
    mkdirat(root, id, 0o700);
    const lock = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    syscall(flock(lock.number, LOCK_EX | LOCK_NB));
    return { place: new ChangesPlace(`${path}/${id}`, lock), finished };
  }

  /** Its name among others. */
  get id(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** Removes it with all that is in it. */
  async remove(): Promise<void> {
    await removePlace(this.path, this.#lock);
  }

  /** Lets others have it. */
  [Symbol.dispose](): void {
    this.#lock.close();
  }
}

/**
 * Finishes the commits of this user that were cut off, as their script was killed: their changes are made,
 * or where the commit had not begun, thrown away. `hold()` does this first.
 *
 * @throws {SyscallError} if a change cannot be made; the commit can be finished later then
 *
 * @example
 * ```ts
 * import { finishCommits } from "@ramekin/ramekin/changes";
 *
 * const finish = async () => {
 *   for (const { directories, left } of await finishCommits()) console.log(directories, left);
 * };
 * ```
 */
export async function finishCommits(
  { place = placeOfChanges(), discard = false }: FinishOptions = {},
): Promise<readonly FinishedCommit[]> {
  const finished: FinishedCommit[] = [];
  for (const left of leftIn(place)) {
    try {
      const done = discard ? await giveUp(left.path) : await finish(left.path);
      if (done !== undefined) finished.push(done);
      await removePlace(left.path, left.lock);
    } finally {
      left.lock.close();
    }
  }
  return finished;
}

/** A place whose script has ended. */
interface LeftPlace {
  readonly path: string;
  readonly lock: OwnedFd;
}

/** Locks the places whose scripts have ended. */
function leftIn(path: string): readonly LeftPlace[] {
  const root = ifThere(() => openRoot(path, false), ["ENOENT", "ENOTDIR", "EACCES"]);
  if (root === undefined) return [];
  using opened = root;
  using tree = new Tree(pathOf(opened));
  syscall(flock(opened.number, LOCK_EX));
  return tree.names(".").flatMap((name) => {
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const lock = ifThere(() => openat(opened, name, flags));
    if (lock === undefined) return [];
    const isFree = ifThere(() => syscall(flock(lock.number, LOCK_EX | LOCK_NB)), ["EAGAIN"]);
    if (isFree !== undefined) return [{ path: `${tree.path}/${name}`, lock }];
    lock.close();
    return [];
  });
}

async function finish(path: string): Promise<FinishedCommit | undefined> {
  using tree = new Tree(path);
  const journal = readJournal(tree.fd, path);
  if (journal === undefined) return undefined;
  const directories = journal.directories.map(({ path }) => path);
  using commit = begun(tree, journal);
  // With a directory, all that was to be done in it is gone.
  if (commit === undefined) return { directories, left: directories };
  if (journal.state === "commit") return { directories, left: await commit.perform() };
  await commit.giveUp();
  return undefined;
}

async function giveUp(path: string): Promise<FinishedCommit | undefined> {
  using tree = new Tree(path);
  const journal = readJournal(tree.fd, path);
  if (journal === undefined) return undefined;
  using commit = begun(tree, journal);
  await commit?.giveUp();
  const directories = journal.directories.map(({ path }) => path);
  return { directories, left: journal.state === "commit" ? directories : [] };
}

function begun(tree: Tree, journal: Journal): Commit | undefined {
  try {
    return new Commit(tree, journal);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function removePlace(path: string, lock: OwnedFd): Promise<void> {
  await removeAll(lock.number);
  using root = open(parentOf(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ifThere(() => unlinkat(root, path.slice(path.lastIndexOf("/") + 1), AT_REMOVEDIR));
}

/**
 * Opens the directory of all places, which has to be the user's alone: programs can leave set-user-ID
 * files in it.
 */
function openRoot(path: string, makes: boolean): OwnedFd {
  if (makes) makeDirectories(path);
  const opened = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const { uid, mode } = statx(opened, "", AT_EMPTY_PATH);
  if (uid === geteuid() && (mode & 0o077) === 0) return opened;
  opened.close();
  throw new ChangesError(`${path} is open to other users`, {
    code: "place",
    advice: ["it has to be yours alone: chmod 700"],
  });
}

function makeDirectories(path: string): void {
  if (path === "/" || isDirectory(path)) return;
  makeDirectories(parentOf(path));
  try {
    ifThere(() => mkdirat(AT_FDCWD, path, 0o700), ["EEXIST"]);
  } catch (error) {
    if (!(error instanceof SyscallError) || !REFUSED.has(error.code)) throw error;
    throw new ChangesError(`there is no place for changes: ${path} cannot be made: ${error.code}`, {
      code: "place",
      advice: ["set XDG_STATE_HOME to a directory of yours that no sandbox may write to"],
      cause: error,
    });
  }
}

/** The errnos of a directory in which this user can make none. */
const REFUSED: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

function isDirectory(path: string): boolean {
  const status = ifThere(() => statx(AT_FDCWD, path));
  return status !== undefined && (status.mode & S_IFMT) === S_IFDIR;
}

/** The path of an open directory, without symbolic links. */
export function pathOf(directory: OwnedFd): string {
  return readlinkat(AT_FDCWD, `/proc/self/fd/${directory.number}`);
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
