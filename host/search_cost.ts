/**
 * What a search may cost: a program can make a directory in which it would never end.
 *
 * @module
 */

/** So many paths, each looked at by its parts, take as long as a directory that is read. */
const PATHS = 20;
/** So many bytes of a configuration take as long as a path. */
const BYTES = 100;

/** Counts what a search does. */
export class SearchCost {
  readonly #most: number;
  #directories = 0;

  /** At most so many directories, or other work that takes as long. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The directories that were read, with other work that takes as long. */
  get directories(): number {
    return Math.ceil(this.#directories);
  }

  /** Whether it is more than it may be. */
  get isOver(): boolean {
    return this.#directories > this.#most;
  }

  /** Counts a directory. */
  addDirectory(): void {
    this.#directories++;
  }

  /** Counts parts of paths that are looked at. */
  addParts(count = 1): void {
    this.#directories += count / PATHS;
  }

  /** Counts a configuration, by its size. */
  addConfig(bytes: number): void {
    this.addParts(PATHS + bytes / BYTES);
  }
}
