/**
 * Protected names as a tree, directly in one directory.
 *
 * @module
 */

import { HOME_NAMES, PRESENT_NAMES } from "../../recipe/protected_names.ts";

/** A file or directory with a protected name, or on the way to one. */
export interface NameNode {
  /** Its path from the directory. */
  readonly path: string;
  /** Whether it is protected itself, with all that is in it. */
  readonly isName: boolean;
  /** Whether it may be made where it is missing, and all that is in it. */
  readonly mayBeMade: boolean;
  /** What a file has to hold that takes its place where it is missing; a directory can otherwise. */
  readonly text?: string | undefined;
  readonly children: readonly NameNode[];
}

/** What git reads as if the file were not there; of a directory in its place it complains. */
const GIT_FILES: Readonly<Record<string, string>> = {
  ".git/commondir": ".\n",
  ".git/config": "",
  ".git/config.worktree": "",
};

const HOME = "~/";
const GIT = ".git";

/** Home directories by the usual places; others are not known. */
const HOMES = /^\/(root|home\/[^/]+)$/;

/**
 * Returns the tree of the names in a directory.
 *
 * @param except paths that are not protected
 */
export function nameTree(
  directory: string,
  names: readonly string[],
  except: readonly string[],
): readonly NameNode[] {
  const isHome = HOMES.test(directory);
  const root = new Draft("");
  for (const name of names) {
    const mayBeMade = PRESENT_NAMES.includes(name) || !isHome && HOME_NAMES.includes(name);
    for (const path of pathsIn(directory, name, isHome)) {
      if (!except.includes(`${directory}/${path}`)) root.add(path, mayBeMade);
    }
  }
  return root.finished();
}

/**
 * Returns the tree of paths in a directory.
 *
 * @param mayBeMade whether they may be made where they are missing
 */
export function pathTree(paths: readonly string[], mayBeMade: boolean): readonly NameNode[] {
  const root = new Draft("");
  for (const path of paths) root.add(path, mayBeMade);
  return root.finished(false);
}

/** Returns the paths of a name in the directory: the whole, and what the directory's own path begins. */
function pathsIn(directory: string, name: string, isHome: boolean): readonly string[] {
  if (name.startsWith(HOME)) return isHome ? [name.slice(HOME.length)] : [];
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.flatMap((_, index) => {
    const beginning = parts.slice(0, index).join("/");
    const begins = beginning === "" || directory.endsWith(`/${beginning}`);
    return begins ? [parts.slice(index).join("/")] : [];
  });
}

class Draft {
  readonly #path: string;
  readonly #children = new Map<string, Draft>();
  #isName = false;
  #mayBeMade = true;

  constructor(path: string) {
    this.#path = path;
  }

  add(path: string, mayBeMade: boolean): void {
    if (path === "") {
      this.#isName = true;
      this.#mayBeMade &&= mayBeMade;
      return;
    }
    const [name, ...rest] = path.split("/") as [string, ...string[]];
    let child = this.#children.get(name);
    if (child === undefined) {
      child = new Draft(this.#path === "" ? name : `${this.#path}/${name}`);
      this.#children.set(name, child);
    }
    child.add(rest.join("/"), mayBeMade);
  }

  /** @param isGit whether names of git are known as such */
  finished(isGit = true): readonly NameNode[] {
    return [...this.#children.values()].map((child) => child.#node(isGit));
  }

  #node(isGit: boolean): NameNode {
    const children = this.#isName ? [] : this.finished(isGit);
    return {
      path: this.#path,
      isName: this.#isName,
      // A repository can be made where there is none: nobody runs what is in it by itself.
      mayBeMade: isGit && this.#path === GIT && !this.#isName ||
        (this.#isName ? this.#mayBeMade : children.every(({ mayBeMade }) => mayBeMade)),
      text: isGit ? GIT_FILES[this.#path] : undefined,
      children,
    };
  }
}
