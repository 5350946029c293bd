/**
 * Sessions: what one user of a store works on, and keeps from being collected. A session is a directory
 * for temporary files, and a lock; both are of no use once their process has ended, and then removed by
 * whoever collects next.
 *
 * @module
 */

import { FileLock, statIfThere } from "./file_lock.ts";
import { namesIn, writeAll } from "./files.ts";
import { removeTree } from "./remove_tree.ts";
import { unpackingIds } from "../owners.ts";

/** What a session works on. */
export class Session implements AsyncDisposable {
  /** A directory for its temporary files, on the filesystem of the store. */
  readonly directory: string;
  readonly #gate: string;
  readonly #lock: FileLock;
  #count = 0;
  #ended = false;

  private constructor(directory: string, gate: string, lock: FileLock) {
    this.directory = directory;
    this.#gate = gate;
    this.#lock = lock;
  }

  /**
   * Begins a session.
   *
   * @param work the directory of all sessions
   * @param gate the lock that keeps a collection away while it is held
   */
  static async begin(work: string, gate: string, signal?: AbortSignal): Promise<Session> {
    // A collection would take the directory for one of a process that has ended.
    using _open = await FileLock.acquire(gate, { shared: true, signal });
    const directory = `${work}/${crypto.randomUUID()}`;
    await Deno.mkdir(directory, { mode: 0o700 });
    return new Session(directory, gate, await FileLock.acquire(`${directory}/lock`));
  }

  /** Keeps what has these names from being collected: digests, and names of roots. */
  async keep(names: readonly string[], signal?: AbortSignal): Promise<void> {
    using _open = await FileLock.acquire(this.#gate, { shared: true, signal });
    await writeAll(
      this.#lock.file,
      new TextEncoder().encode(names.map((it) => `${it}\n`).join("")),
    );
  }

  /** A path for a temporary file. */
  temporary(): string {
    return `${this.directory}/${++this.#count}`;
  }

  /** Ends it, and removes its temporary files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      await removeSession(this.directory);
    } finally {
      this.#lock[Symbol.dispose]();
    }
  }
}

/** What the sessions of processes that run keep; those of ended ones are moved into `trash`. */
export async function keptBySessions(
  work: string,
  own: Session,
): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const name of await namesIn(work)) {
    const directory = `${work}/${name}`;
    if (directory === own.directory) continue;
    const names = await namesKept(directory);
    if (names !== undefined) { for (const name of names) kept.add(name); }
    else await moveInto(directory, own);
  }
  return kept;
}

/** What the session keeps; `undefined` if its process has ended. */
async function namesKept(directory: string): Promise<string[] | undefined> {
  const path = `${directory}/lock`;
  try {
    using free = await FileLock.tryExisting(path);
    if (free !== undefined) return undefined;
    return (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Moves a file or directory to the temporary files of a session, if it is there. */
export async function moveInto(path: string, session: Session): Promise<void> {
  try {
    await Deno.rename(path, session.temporary());
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes the files of a session; the lock last, so that a killed removal is seen. */
async function removeSession(directory: string): Promise<void> {
  if (await statIfThere(directory) === undefined) return;
  for (const name of await namesIn(directory)) {
    if (name !== "lock") await removeTree(`${directory}/${name}`, unpackingIds());
  }
  await Deno.remove(directory, { recursive: true });
}
