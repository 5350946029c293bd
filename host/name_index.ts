/**
 * Names that are looked for, by their parts.
 *
 * @module
 */

import { nameOf } from "../recipe/path.ts";

const GIT = ".git/";
const HOME = "~/";

/** The beginning of a name of several parts, and what comes after it. */
export interface Beginning {
  readonly beginning: string;
  readonly rest: string;
}

/** The names of a question. */
export class NameIndex {
  /** The names within a directory of git. */
  readonly ofGit: readonly string[];
  /** The paths in the home directory, where all other names are looked for as well. */
  readonly ofHome: readonly string[];
  /** The names, in lower case, by their last part. */
  readonly #ends: ReadonlyMap<string, readonly string[]>;
  /** The beginnings of names, in lower case, by their own last part. */
  readonly #beginnings: ReadonlyMap<string, readonly Beginning[]>;

  constructor(names: readonly string[]) {
    const ofGit = new Set<string>();
    const [others, home] = [new Set<string>(), new Set<string>()];
    for (const name of names) {
      if (name.startsWith(GIT)) ofGit.add(name.slice(GIT.length));
      else if (name.startsWith(HOME)) home.add(name.slice(HOME.length));
      else others.add(name);
    }
    this.ofGit = [...ofGit];
    this.ofHome = [...home, ...others];
    this.#ends = Map.groupBy(new Set([...others].map(fold)), nameOf);
    const beginnings = [...others].flatMap(beginningsOf);
    this.#beginnings = Map.groupBy(beginnings, ({ beginning }) => nameOf(beginning));
  }

  /** Whether a name of a file is the last part of one that is looked for. */
  has(name: string): boolean {
    return this.#ends.has(fold(name));
  }

  /** Whether a path ends with one of the names. */
  isEndOf(path: string): boolean {
    const folded = fold(path);
    return this.#ends.get(nameOf(folded))?.some((end) => folded.endsWith(`/${end}`)) === true;
  }

  /** Returns what comes after the end of a path in the names that begin with that. */
  after(path: string): readonly string[] {
    const folded = fold(path);
    return (this.#beginnings.get(nameOf(folded)) ?? [])
      .filter(({ beginning }) => folded.endsWith(`/${beginning}`)).map(({ rest }) => rest);
  }
}

/** Whether it is a path in a directory of git, or in the home directory: `.git/hooks`, `~/bin`. */
export function isPlain(name: string): boolean {
  return !name.startsWith(GIT) && !name.startsWith(HOME);
}

function beginningsOf(name: string): readonly Beginning[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, index) => ({
    beginning: fold(parts.slice(0, index + 1).join("/")),
    rest: parts.slice(index + 1).join("/"),
  }));
}

/** Upper and lower case are the same on some filesystems. */
function fold(name: string): string {
  return name.toLowerCase();
}
