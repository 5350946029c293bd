/**
 * Locks between processes: flock(2) of a file, which ends with its holder however that ends.
 *
 * @module
 */

/** How long to wait before the next try, in milliseconds: at first, and at most. */
const WAIT = { first: 5, most: 100 };

/** A lock that is held until it is disposed of. */
export class FileLock implements Disposable {
  /** The open file. */
  readonly file: Deno.FsFile;
  readonly #removed: string | undefined;

  private constructor(file: Deno.FsFile, removed?: string) {
    this.file = file;
    this.#removed = removed;
  }

  /** Acquires the lock of a file that stays; it is made if there is none. */
  static async acquire(
    path: string,
    { shared = false, signal }: { shared?: boolean; signal?: AbortSignal | undefined } = {},
  ): Promise<FileLock> {
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    try {
      await wait(file, !shared, signal);
      return new FileLock(file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Acquires the lock of a file that its holder removes or renames, and leaves it to others to make it
   * again.
   *
   * @param remove whether it is removed when the lock is released
   */
  static async acquirePassing(
    path: string,
    { remove, signal }: { remove: boolean; signal?: AbortSignal | undefined },
  ): Promise<FileLock> {
    for (;;) {
      const lock = await FileLock.acquire(path, { signal });
      if (await isAt(lock.file, path)) return new FileLock(lock.file, remove ? path : undefined);
      lock[Symbol.dispose]();
    }
  }

  /** Acquires the lock of a file that exists, if it is free; its holder has ended then. */
  static async tryExisting(path: string): Promise<FileLock | undefined> {
    const file = await Deno.open(path, { read: true, write: true });
    if (file.tryLockSync(true)) return new FileLock(file);
    file.close();
    return undefined;
  }

  [Symbol.dispose](): void {
    if (this.#removed !== undefined) removeQuietly(this.#removed);
    this.file.close();
  }
}

async function wait(file: Deno.FsFile, exclusive: boolean, signal?: AbortSignal): Promise<void> {
  // No call that blocks: it would hold a thread of Deno's, and could not be ended.
  for (let time = WAIT.first; !file.tryLockSync(exclusive); time = Math.min(time * 2, WAIT.most)) {
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, time * (0.5 + Math.random() / 2)));
  }
  signal?.throwIfAborted();
}

/** Whether the open file is still the one of the path. */
async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  const [opened, there] = [await file.stat(), await statIfThere(path)];
  return there !== undefined && there.ino === opened.ino && there.dev === opened.dev;
}

/** The state of a file; `undefined` if there is none. */
export async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
