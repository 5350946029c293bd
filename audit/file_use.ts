/**
 * The files that the programs of an audited container have used.
 *
 * @module
 */

/** A file that a program has used. A report: a program can hide what it does. */
export interface UsedFile {
  /**
   * What it did: `"look"` at a file (stat(2), access(2), chdir(2), readlink(2)); open it to `"read"`,
   * or to list a directory; `"write"` to one that was there; `"make"`, remove or rename it, or change
   * its mode; `"execute"` it.
   */
  readonly use: "look" | "read" | "write" | "make" | "execute";
  /** The path from the root of the container, as the program named it. */
  readonly path: string;
}

/** The most files that are kept: a program can use as many as it wants. */
const MOST = 50_000;

/** The files that the programs of a container have used, each once for each use. */
export interface UsedFiles {
  /** All so far, 50,000 at most. */
  readonly list: readonly UsedFile[];
  /** Whether there were more. */
  readonly isFull: boolean;
}

/** Collects them. */
export class UseLog implements UsedFiles {
  readonly #list: UsedFile[] = [];
  readonly #known = new Set<string>();

  get list(): readonly UsedFile[] {
    return this.#list;
  }

  get isFull(): boolean {
    return this.#list.length === MOST;
  }

  /** Adds one, unless it is known. */
  add(file: UsedFile): void {
    const key = `${file.use} ${file.path}`;
    if (this.#known.has(key) || this.isFull) return;
    this.#known.add(key);
    this.#list.push(file);
  }
}
