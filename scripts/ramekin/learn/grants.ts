/**
 * From the files that a program has used to the smallest sensible list of grants.
 *
 * @module
 */

import { sandbox, type UsedFile } from "../../../mod.ts";
import { isWithin, parentOf } from "../../../recipe/path.ts";
import { realPath, type Secrets } from "./secrets.ts";

/** What is to be granted. */
export interface Learnt {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Directories that are only looked at: empty ones in their place will do. */
  readonly tmpfs: readonly string[];
  /** Secrets within these. */
  readonly denyRead: readonly string[];
  /** Directories that were listed, and are too wide to be granted. */
  readonly tooWide: readonly string[];
  /** Paths of other names by which secrets were used: granted, a link would show what it leads to. */
  readonly aliases: readonly string[];
}

/** Where the program ran. */
export interface Surroundings {
  readonly homes: readonly string[];
  /** What it could write to. */
  readonly writable: readonly string[];
  readonly secrets: Secrets;
}

/** So many files or directories in one directory, and the directory is granted in their place. */
const MANY = 5;

/** Directories of a home that have everything in them. */
const WIDE_IN_HOME = ["", "/.cache", "/.config", "/.local", "/.local/share", "/.local/lib"];

/** Those of the machine, beside those in /. */
const WIDE = ["/var/cache", "/var/lib", "/var/log", "/var/spool"];

/** What a sandbox has of its own. */
const OWN = ["/dev", "/proc", "/run", "/sys", "/tmp"];

/** Summarises what was used. */
export function learn(used: readonly UsedFile[], around: Surroundings): Learnt {
  return new Learner(around).learn(used);
}

class Learner {
  readonly #around: Surroundings;
  readonly #tooWide = new Set<string>();
  readonly #aliases = new Set<string>();
  readonly #ofSystem = shownFiles();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  learn(used: readonly UsedFile[]): Learnt {
    const write = this.#written(used);
    const read = this.#read(used).filter((path) => !isWithinAny(path, write));
    const shown = [...read, ...write];
    const denyRead = shown.flatMap((path) => this.#around.secrets.within(path));
    return {
      read,
      write,
      tmpfs: this.#lookedAt(used, shown),
      denyRead: [...new Set(denyRead)].sort(),
      tooWide: [...this.#tooWide],
      aliases: [...this.#aliases].sort(),
    };
  }

  /** Directories that are looked at, and neither shown nor around what is. */
  #lookedAt(used: readonly UsedFile[], shown: readonly string[]): readonly string[] {
    const looked = used.filter(({ use }) => use === "look").map(({ path }) => path);
    const [theirs, around] = [new Set(shown), aroundAll(shown)];
    const needed = [...new Set(looked)].sort().filter((path) =>
      !this.#isShown(path) && !this.#isWide(path) && !this.#isSecret(path) &&
      !theirs.has(path) && !around.has(path) && !isInOneOf(path, theirs) && isDirectory(path)
    );
    // Those around them are there then.
    const outer = aroundAll(needed);
    return needed.filter((path) => !outer.has(path));
  }

  /** Files that were there and were written to; of what was made, the directory around it. */
  #written(used: readonly UsedFile[]): readonly string[] {
    const { writable } = this.#around;
    const paths = used.flatMap(({ use, path }) => {
      if (use !== "write" && use !== "make") return [];
      const root = writable.find((root) => isWithin(path, root));
      if (root === undefined) return [];
      return existing(use === "make" && path !== root ? parentOf(path) : path, root);
    });
    const outer = outermost(paths);
    return outermost(writable.flatMap((root) => {
      const within = outer.filter((path) => isWithin(path, root));
      if (this.#isWide(root)) return this.#summarised(within);
      return within.length < MANY ? within : [root];
    }));
  }

  #read(used: readonly UsedFile[]): readonly string[] {
    const needed = new Set<string>();
    for (const { use, path } of used) {
      if (use === "write" || use === "make") continue;
      const real = realPath(path);
      if (real === undefined || this.#isShown(path) && this.#isShown(real)) continue;
      if (isDirectory(real) && (use !== "read" || this.#isTooWide(real))) continue;
      const interpreter = use === "execute" ? interpreterOf(real) : undefined;
      for (const one of [path, real, ...(interpreter === undefined ? [] : [interpreter])]) {
        if (!this.#isShown(one) && !this.#isSecret(one)) needed.add(one);
      }
    }
    return this.#summarised(outermost([...needed]));
  }

  /** Whether it is a secret, or leads to one. */
  #isSecret(path: string): boolean {
    const { secrets } = this.#around;
    const isAlias = !secrets.has(path) && secrets.leadsTo(path);
    if (isAlias) this.#aliases.add(path);
    return isAlias || secrets.has(path);
  }

  #isTooWide(directory: string): boolean {
    if (!this.#isWide(directory)) return false;
    this.#tooWide.add(directory);
    return true;
  }

  /** Whether every sandbox has a file: it is shown, one of its own, or of a network. */
  #isShown(path: string): boolean {
    const { writable } = this.#around;
    const isHosts = writable.some((root) => root !== "/" && isWithin(path, root));
    return path === "/" || path === "/var/tmp" || matches(path, this.#ofSystem) ||
      isWithinAny(path, OWN) && !isHosts;
  }

  /** Whether it is wide, or leads to what is. */
  #isWide(directory: string): boolean {
    const { homes } = this.#around;
    return isWide(directory, homes) || isWide(realPath(directory) ?? directory, homes);
  }

  /** Takes the directory in the place of many in it. */
  #summarised(paths: readonly string[]): readonly string[] {
    const byParent = Map.groupBy(paths, parentOf);
    const merged = [...byParent].flatMap(([parent, inner]) =>
      inner.length < MANY || this.#isWide(parent) ? inner : [parent]
    );
    const next = outermost(merged);
    return next.length === paths.length ? next : this.#summarised(next);
  }
}

/** Whether a directory has far more in it than one program is about. */
export function isWide(directory: string, homes: readonly string[]): boolean {
  if (directory === "/" || parentOf(directory) === "/" || WIDE.includes(directory)) return true;
  return homes.some((home) =>
    isWithin(home, directory) || WIDE_IN_HOME.some((name) => directory === home + name)
  );
}

/** The paths that are not within another one of them: a program can use as many as are kept. */
function outermost(paths: readonly string[]): readonly string[] {
  const all = new Set(paths);
  return [...all].sort().filter((path) => !isInOneOf(path, all));
}

/** Whether a directory around a path is one of these. */
function isInOneOf(path: string, directories: ReadonlySet<string>): boolean {
  return around(path).some((directory) => directories.has(directory));
}

/** All directories around some paths. */
function aroundAll(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.flatMap(around));
}

/** The directories around a path. */
function around(path: string): readonly string[] {
  const directories: string[] = [];
  for (let at = path; at !== "/";) directories.push(at = parentOf(at));
  return directories;
}

function isWithinAny(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => isWithin(path, directory));
}

/**
 * The path, or the next directory around it that is there still, by where links lead: the program may
 * have put one in its place that leads out of where it could write, and whoever grants that follows it.
 */
function existing(path: string, root: string): string {
  const end = realPath(root) ?? root;
  for (let at = path; at !== root; at = parentOf(at)) {
    const real = realPath(at);
    if (real === end) return root;
    if (real !== undefined && isWithin(real, end)) return moved(real, end, root);
  }
  return root;
}

/** A path within one directory, as one within another. */
function moved(path: string, from: string, to: string): string {
  const rest = path.slice(from === "/" ? 0 : from.length);
  return to === "/" ? rest : `${to}${rest}`;
}

/** What every sandbox with a network is shown: the names of each path. */
function shownFiles(): readonly (readonly RegExp[])[] {
  return sandbox({ net: "host" }).steps.flatMap((step) =>
    step.step === "bind" && step.source === "/" ? step.entries ?? [] : []
  ).map((path) => path.split("/").map(wholeName));
}

/** A name with `*` for any text. */
function wholeName(name: string): RegExp {
  return new RegExp(`^${name.split("*").map((text) => RegExp.escape(text)).join(".*")}$`, "s");
}

/** Whether a path begins with one of the patterns. */
function matches(path: string, patterns: readonly (readonly RegExp[])[]): boolean {
  const names = path.slice(1).split("/");
  return patterns.some((pattern) =>
    pattern.length <= names.length && pattern.every((name, index) => name.test(names[index]!))
  );
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** The program that the kernel opens for a script, without a call that an audit sees. */
function interpreterOf(path: string): string | undefined {
  try {
    // A named pipe would be waited for.
    if (!Deno.statSync(path).isFile) return undefined;
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(256);
    const length = file.readSync(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, length)).match(/^#![ \t]*(\/\S+)/)?.[1];
  } catch {
    return undefined;
  }
}
