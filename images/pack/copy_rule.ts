/**
 * Which files of this machine are copied into an image.
 *
 * @module
 */

import { isWithin } from "../../recipe/path.ts";
import { realPath } from "./looked_at.ts";

/** Which files are copied: all that are bound, none, or those that lie in some directories. */
export class CopyRule {
  readonly #directories: readonly string[];

  constructor(copy: boolean | readonly string[]) {
    const directories = copy === true ? ["/"] : copy === false ? [] : copy;
    this.#directories = directories.map((path) => realPath(path) ?? path);
  }

  /** Whether a file is, by its path without links. */
  allows(path: string): boolean {
    return this.#directories.some((directory) => isWithin(path, directory));
  }
}
