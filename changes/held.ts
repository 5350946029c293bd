/**
 * Directories whose changes are held: what programs in sandboxes write to them is kept apart, told, and
 * in the end made or thrown away.
 *
 * @module
 */

import { AT_EMPTY_PATH } from "../ffi/calls/constants/at.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../ffi/calls/constants/open.ts";
import { SyscallError } from "../ffi/errors.ts";
import { statx } from "../ffi/linux/directories.ts";
import { open } from "../ffi/linux/files.ts";
import { geteuid } from "../ffi/linux/users.ts";
import type { Recipe } from "../container/recipe.ts";
import { sandbox, type SandboxOptions } from "../container/sandbox.ts";
import { openUserNamespace } from "../container/user_namespace.ts";
import { isWithin, normalize } from "../recipe/path.ts";
import { mapCurrentUser, unshare } from "../recipe/steps/builders.ts";
import type { Change } from "./change.ts";
import { type CommitOptions, type Located, sorted, withParents } from "./chosen.ts";
import { Commit } from "./commit.ts";
import { compare, type FoundChange } from "./compare.ts";
import { ChangesError } from "./errors.ts";
import { missingGitNames } from "./git_names.ts";
import { checkedDirectory, type HeldDirectory, makeHeld, outermost } from "./held_directory.ts";
import { entryOf, type Journal } from "./journal.ts";
import { isDenied } from "./new_files.ts";
import { ChangesPlace, type FinishedCommit, placeOfChanges } from "./place.ts";
import { protectedBy, protectedNames, type Protection } from "./protected.ts";
import { homes, pathsOf } from "./real_paths.ts";
import { Tree } from "./tree.ts";

/** Options of {@linkcode hold}. */
export interface HoldOptions {
  /**
   * Where the changes are kept: a directory of this user alone, which is on a filesystem that can be
   * the upper layer of an overlay.
   *
   * @default {ramekin/held in XDG_STATE_HOME, which is ~/.local/state}
   */
  readonly place?: string;
}

/** The options of a sandbox, but for those that the holder gives. */
export type HeldSandboxOptions = Omit<SandboxOptions, "write" | "changes">;

/** What a commit has done. */
export interface CommitSummary {
  /** The changes that were made. */
  readonly made: readonly Change[];
  /** The changes that were left out, as they were in conflict or protected. */
  readonly left: readonly Change[];
}

/**
 * Holds the changes of directories: what programs of its sandboxes write to them is not on the host
 * before {@linkcode Held.commit}. Commits of this user that were cut off are finished first.
 *
 * @throws {ChangesError} for what is no directory, or not this user's to write, for /, and where there
 * is no place for changes
 * @throws {SyscallError} `ENOENT` where a directory does not exist
 *
 * @example
 * ```ts
 * import { describeChange, hold } from "@ramekin/ramekin/changes";
 *
 * const build = async (directory: string) => {
 *   await using held = await hold([directory]);
 *   const box = held.sandbox({ cwd: directory });
 *   await box.command("make").output();
 *   await box.command("make", { args: ["install"] }).output(); // sees what the first one has made
 *   for (const change of await held.changes()) console.log(describeChange(change));
 *   await held.commit();
 * };
 * ```
 */
export async function hold(
  directories: readonly string[],
  { place: asked }: HoldOptions = {},
): Promise<Held> {
  const paths = outermost(directories.map(checkedDirectory));
  if (paths.length === 0) {
    throw new ChangesError("there is no directory whose changes are held", { code: "invalid" });
  }
  const { place, finished } = await ChangesPlace.make(paths, asked ?? placeOfChanges());
  try {
    const held = paths.map((path, index) => makeHeld(place.path, path, String(index)));
    using last = open(place.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const { ctime } = statx(last, "", AT_EMPTY_PATH);
    return new Held(place, held, ctime, finished);
  } catch (error) {
    await place.remove();
    place[Symbol.dispose]();
    throw error;
  }
}

/** Directories whose changes are held; made by {@linkcode hold}. */
export class Held implements AsyncDisposable {
  readonly #place: ChangesPlace;
  readonly #held: readonly HeldDirectory[];
  readonly #since: bigint;
  #names: readonly string[] = protectedNames();
  #denied: readonly string[] = [];
  readonly #homes = homes();
  #hasEnded = false;
  /** The commits of killed scripts that were finished first. */
  readonly finished: readonly FinishedCommit[];

  /** Use {@linkcode hold}. */
  constructor(
    place: ChangesPlace,
    held: readonly HeldDirectory[],
    since: bigint,
    finished: readonly FinishedCommit[],
  ) {
    this.#place = place;
    this.#held = held;
    this.#since = since;
    this.finished = finished;
  }

  /** The directories, without symbolic links. */
  get directories(): readonly string[] {
    return this.#held.map(({ path }) => path);
  }

  /** Where the changes of each directory go: the option `changes` of `sandbox()`. */
  get places(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#held.map(({ path, name }) => [path, `${this.#place.path}/${name}`]),
    );
  }

  /**
   * Makes a recipe for untrusted programs that may write to the directories. Those that run one after
   * the other see each other's changes; at the same time, no two may.
   *
   * @throws {RecipeError} as `sandbox()`
   * @throws {ChangesError} if the changes were made or thrown away
   */
  sandbox(options: HeldSandboxOptions = {}): Recipe {
    this.#requireHeld();
    const { protect, denyRead = [], denyWrite = [] } = options;
    const box = sandbox({ ...options, write: this.directories, changes: this.places });
    this.#names = protectedNames(protect);
    this.#denied = [...denyRead, ...denyWrite].flatMap(pathsOf);
    return box;
  }

  /**
   * Returns the changes, by their paths; a directory comes before what is in it. The containers have
   * to have ended.
   *
   * A file is a conflict where the host's has changed its status (ctime) since `hold()`, or where what
   * was copied from it is gone.
   *
   * @throws {ChangesError} if the changes were made or thrown away
   */
  async changes(): Promise<readonly Change[]> {
    return (await this.#compare()).map(({ change }) => change);
  }

  /**
   * Makes changes on the host, and ends the holding; those that are not made are thrown away.
   *
   * All files are prepared first, in a directory `.ramekin-ID` beside them; if that fails, nothing has
   * changed. Then each is moved to its place, which for each file is atomic. If the script is killed
   * meanwhile, the rest is done by {@linkcode finishCommits} or the next `hold()`. That holds for a
   * process, not for a machine that loses its power.
   *
   * @param paths those of the changes that are made, with all that is in them; by default all are
   * @throws {ChangesError} for changes in conflict, or of protected files, unless an option says what is
   * done about these, if a program still changes files, and if the changes were made or thrown away
   * @throws {SyscallError} if a file cannot be prepared
   */
  async commit(paths?: readonly string[], options: CommitOptions = {}): Promise<CommitSummary> {
    const all = await this.#compare();
    const asked = paths === undefined ? all : withParents(all, paths.map(normalize));
    const { made, left } = sorted(asked, options);
    const unmoved = await this.#make(made);
    try {
      await this.#end();
    } catch (error) {
      // The changes are made; what is left of them here is cleared away by the next hold().
      if (!(error instanceof SyscallError)) throw error;
    }
    const isUnmoved = ({ change: { path } }: Located) => unmoved.some((one) => isWithin(path, one));
    return {
      made: made.filter((one) => !isUnmoved(one)).map(({ change }) => change),
      left: [...left, ...made.filter(isUnmoved)].map(({ change }) => change),
    };
  }

  /** Throws all changes away, and ends the holding. */
  async discard(): Promise<void> {
    if (!this.#hasEnded) await this.#end();
  }

  /** Throws the changes away that were not made. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.discard();
  }

  async #end(): Promise<void> {
    this.#hasEnded = true;
    try {
      await this.#place.remove();
    } finally {
      this.#place[Symbol.dispose]();
    }
  }

  #requireHeld(): void {
    if (!this.#hasEnded) return;
    throw new ChangesError("the changes were made or thrown away", { code: "ended" });
  }

  async #compare(): Promise<readonly Located[]> {
    this.#requireHeld();
    const all: Located[] = [];
    for (const [index, { path, name }] of this.#held.entries()) {
      using host = new Tree(path);
      using upper = new Tree(`${this.#place.path}/${name}/upper`);
      const changes = await withRights((namespace) => compare(upper, host, this.#since, namespace));
      const protection = {
        names: this.#names,
        paths: this.#denied,
        missing: changes.length === 0 ? [] : missingGitNames(path, this.#names),
        homes: this.#homes,
      };
      all.push(
        ...changes.map((found) => ({ index, found, change: changeOf(path, found, protection) })),
      );
    }
    return all;
  }

  /** Makes the changes; returns the paths at which somebody else has changed the host just now. */
  async #make(changes: readonly Located[]): Promise<readonly string[]> {
    if (changes.length === 0) return [];
    const journal: Journal = {
      version: 1,
      state: "prepare",
      id: this.#place.id,
      directories: this.#held,
      entries: changes.map(({ index, found }) => entryOf(index, found)),
    };
    using place = new Tree(this.#place.path);
    using commit = new Commit(place, journal);
    await withRights((namespace) => commit.prepare(namespace));
    commit.decide();
    try {
      return await commit.perform();
    } catch (error) {
      // The journal stays, for whoever goes on.
      this.#hasEnded = true;
      this.#place[Symbol.dispose]();
      const why = error instanceof Error ? error.message : String(error);
      throw new ChangesError(`the changes were made in part only: ${why}`, {
        code: "unfinished",
        cause: error,
        advice: ["finishCommits(), or ramekin try --resume, makes the others"],
      });
    }
  }
}

/** A change as it is told. */
function changeOf(directory: string, found: FoundChange, protection: Protection): Change {
  const { before, after, conflict } = found;
  const path = found.path === "." ? directory : `${directory}/${found.path}`;
  const name = protectedBy(path, after?.kind, protection);
  return {
    path,
    change: after === undefined ? "removed" : before === undefined ? "added" : "changed",
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(conflict !== undefined && { conflict }),
    ...(name !== undefined && { protectedBy: name }),
  };
}

/**
 * Does something for which files have to be read: again with the rights of root in a user namespace,
 * where the user's own permissions keep the user out.
 */
async function withRights<T>(use: (namespace?: number) => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!isDenied(error) || geteuid() === 0) throw error;
  }
  using namespace = await openUserNamespace([unshare("user"), mapCurrentUser()]);
  return await use(namespace.number);
}
