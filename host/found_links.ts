/**
 * Follows the links on the way of a path, and notes those that a program could replace.
 *
 * @module
 */

import { S_IFLNK } from "../ffi/calls/files.ts";
import { isWithin } from "../recipe/path.ts";
import type { DirectoryLists } from "./directory_lists.ts";
import type { FoundNames } from "./found_names.ts";
import { PATH_MAX } from "./kept_table.ts";
import { linkTarget } from "./resolve_path.ts";
import type { SearchCost } from "./search_cost.ts";

/** As the kernel does (path_resolution(7)). */
const MAX_LINKS = 40;

/** What is known of a path whose links are followed. */
export interface Way {
  /** Whether it is in a directory that is protected. */
  readonly isProtected?: boolean;
  /** A directory on the way to which there are no links. */
  readonly base?: string | undefined;
}

/** The links that a search comes across. */
export class FoundLinks {
  readonly #directory: string;
  readonly #lists: DirectoryLists;
  readonly #found: FoundNames;
  readonly #cost: SearchCost;

  /** Those of a search in a directory. */
  constructor(
    directory: string,
    lists: DirectoryLists,
    found: FoundNames,
    cost: SearchCost,
  ) {
    this.#directory = directory;
    this.#lists = lists;
    this.#found = found;
    this.#cost = cost;
  }

  /** Notes the links on the way that a path leads, and returns the path at its end. */
  endOf(path: string, { isProtected = false, base }: Way = {}): string | undefined {
    if (path.length >= PATH_MAX) return undefined;
    const start = base ?? (isWithin(path, this.#directory) ? this.#directory : "/");
    let at = start === "/" ? "" : start;
    const rest = path.slice(at.length).split("/");
    for (let links = 0; rest.length > 0;) {
      const name = rest.shift()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = at.slice(0, at.lastIndexOf("/"));
        continue;
      }
      this.#cost.addParts();
      const here = `${at}/${name}`;
      const target = this.#targetOf(at, name);
      if (target === undefined) {
        at = here;
        continue;
      }
      if (++links > MAX_LINKS) return undefined;
      // A link in a protected directory cannot be changed in any case.
      if (!(isProtected && here === path)) {
        for (const link of this.#found.pathsOf(here)) this.#found.addLink(link);
      }
      if (target.startsWith("/")) at = "";
      rest.unshift(...target.split("/"));
    }
    return at === "" ? "/" : at;
  }

  /** Returns where a link leads; `undefined` if the file is none. */
  #targetOf(directory: string, name: string): string | undefined {
    if (isWithin(directory, "/proc") && directory !== "/") return undefined;
    const path = `${directory}/${name}`;
    if (!isWithin(directory, this.#directory)) return linkTarget(path);
    const entries = this.#lists.of(directory === "" ? "/" : directory);
    // A directory may be closed to those who read it, and open to those who know a name.
    const mayBeLink = entries.size === 0 || entries.get(name) === S_IFLNK;
    return mayBeLink ? linkTarget(path) : undefined;
  }
}
