/**
 * Looks for files by their names in a directory of the host and below it, within bounds.
 *
 * @module
 */

import { at_fdcwd, faccessat, S_IFDIR, S_IFLNK, S_IFREG, W_OK } from "../ffi/calls/files.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { isWithin, nameOf, parentOf } from "../recipe/path.ts";
import { DirectoryLists, look } from "./directory_lists.ts";
import { isGitDirectory, namedInConfig, pointerIn } from "./git_directory.ts";
import { linkTarget } from "./resolve_path.ts";

/** What is looked for. */
export interface NameQuestion {
  /** The directory, as a path without symbolic links. */
  readonly directory: string;
  /** Names, or ends of paths: `".git/hooks"`. */
  readonly names: readonly string[];
  /**
   * Those of the names that are reported where they are missing: directly in the directory, and in
   * the repository in which `start` is, or in `start` itself.
   */
  readonly absent: readonly string[];
  /** A directory that is looked through first, with those around it, however deep it is. */
  readonly start?: string | undefined;
  /** The home directory, where all names are reported if they are missing. */
  readonly home?: string | undefined;
  /** Paths below the directory that are reported themselves, found or missing. */
  readonly paths?: readonly string[] | undefined;
  /** Files that are not reported. */
  readonly except: readonly string[];
  /** The user whose programs can change the modes of its directories. */
  readonly uid: number;
}

/** What was found, as plain data. */
export interface NameScan {
  /**
   * The files, each before what is in it; also directories of the user's that may not be read, or
   * not be written to where a name is missing: whatever is in them could be changed later.
   */
  readonly found: readonly FoundName[];
  /** The names that are missing, where files can be made. */
  readonly missing: readonly MissingName[];
}

/** A name that is missing, by the first directory or file of its path that is. */
export interface MissingName {
  /** The path, without symbolic links. */
  readonly path: string;
  /** What a file has to hold that takes the place; a directory can if this is left out. */
  readonly text?: string;
}

/** A file with one of the names, or a symbolic link on the way to it. */
export interface FoundName {
  /** Its path, without symbolic links before the last name. */
  readonly path: string;
  /** Whether it is a symbolic link. */
  readonly isLink: boolean;
  /** Whether it is a regular file that has another name too: a hard link. */
  readonly isShared: boolean;
}

/** How deep below the directory names are looked for. */
const MAX_DEPTH = 3;
/** In how many directories. */
const MAX_DIRECTORIES = 500;
/** As the kernel does (path_resolution(7)). */
const MAX_LINKS = 40;

/** The kernel's directories, where nobody's files are. */
const KERNEL: ReadonlySet<string> = new Set(["/dev", "/proc", "/sys"]);

/** Directories that are large, and hold other people's programs. */
const PASSED_OVER: ReadonlySet<string> = new Set(["node_modules"]);

const GIT = ".git/";

/** What git reads as if the file were not there; of a directory in its place it complains. */
const GIT_FILES: Readonly<Record<string, string>> = {
  commondir: ".\n",
  config: "",
  "config.worktree": "",
};

/** A file that does not exist, or may not be read. */
const NOTHING = ["ENOENT", "ENOTDIR", "EACCES", "EINVAL", "ELOOP", "ENAMETOOLONG"] as const;

/** A directory that is still to be read. */
interface Pending {
  readonly path: string;
  readonly depth: number;
  /** Whether it is, or is in, a directory of git, of which few directories are of interest. */
  readonly inGit: boolean;
}

/** Finds names, and remembers the directories, so that the next time only changed ones are read. */
export class NameScanner {
  readonly #question: NameQuestion;
  readonly #lists: DirectoryLists = new DirectoryLists();
  /** The names, in lower case, by their last part. */
  readonly #ends: ReadonlyMap<string, readonly string[]>;
  /** The names within a directory of git. */
  readonly #gitNames: readonly string[];

  constructor(question: NameQuestion) {
    this.#question = question;
    const [ofGit, others] = [new Set<string>(), new Set<string>()];
    for (const name of question.names.map(fold)) {
      if (name.startsWith(GIT)) ofGit.add(name.slice(GIT.length));
      else others.add(name);
    }
    this.#gitNames = [...ofGit];
    this.#ends = Map.groupBy(others, nameOf);
  }

  /** Looks for the names. */
  scan(): NameScan {
    this.#lists.refresh();
    return new Search(this.#question, this.#ends, this.#gitNames, this.#lists).run();
  }
}

/** One search. */
class Search {
  readonly #question: NameQuestion;
  readonly #ends: ReadonlyMap<string, readonly string[]>;
  readonly #gitNames: readonly string[];
  readonly #lists: DirectoryLists;
  readonly #found = new Map<string, FoundName>();
  readonly #missing = new Map<string, MissingName>();
  readonly #queue: Pending[] = [];
  readonly #gitQueue: Pending[] = [];
  readonly #queued = new Set<string>();
  /** The configurations of git that were read. */
  readonly #configs = new Set<string>();

  constructor(
    question: NameQuestion,
    ends: ReadonlyMap<string, readonly string[]>,
    gitNames: readonly string[],
    lists: DirectoryLists,
  ) {
    this.#question = question;
    this.#ends = ends;
    this.#gitNames = gitNames;
    this.#lists = lists;
  }

  run(): NameScan {
    const { directory, absent, names, home } = this.#question;
    for (const path of this.#question.paths ?? []) this.#reportPath(path);
    const around = names.length === 0 ? [] : this.#aroundStart();
    for (const [index, path] of around.entries()) {
      // As deep below the first as below the directory itself.
      this.#later({ path, depth: index === 0 ? 0 : around.length - index, inGit: false });
    }
    if (names.length > 0) this.#later({ path: directory, depth: 0, inGit: false });
    for (let read = 0; read < MAX_DIRECTORIES; read++) {
      // Repositories first, so that no other directories can keep them from being found.
      const pending = this.#gitQueue.shift() ?? this.#queue.shift();
      if (pending === undefined) break;
      this.#read(pending);
    }
    // Nobody starts a program in / that reads what is there.
    if (directory !== "/") this.#reportAllMissing(directory, absent);
    // A program may have made a .git in between.
    const projects = around.filter((path) => this.#lists.of(path).has(".git"));
    for (const project of new Set([...around.slice(0, 1), ...projects])) {
      this.#reportAllMissing(project, absent);
    }
    if (home !== undefined && isWithin(home, directory)) this.#reportAllMissing(home, names);
    const missing = [...this.#missing.values()].filter(({ path }) => {
      if (isWritable(parentOf(path))) return true;
      if (this.#isClosed(parentOf(path), 0o2)) this.#findDirectory(parentOf(path));
      return false;
    });
    const found = [...this.#found.values()].sort(byPath);
    return { found, missing: missing.sort(byPath) };
  }

  /** The start and the directories around it, below the directory; none if it is not in there. */
  #aroundStart(): readonly string[] {
    const { directory, start } = this.#question;
    if (start === undefined || !isWithin(start, directory)) return [];
    const around: string[] = [];
    for (let at = start; at !== directory; at = parentOf(at)) around.push(at);
    return around;
  }

  /** Notes a path, by where it leads and the links on the way, or what is missing of it. */
  #reportPath(path: string): void {
    const closed = this.#closedAbove(path);
    if (closed !== undefined) return this.#findDirectory(closed);
    const end = this.#endOf(path);
    if (end === undefined || !this.#isInside(end)) return;
    const type = typeOf(end);
    if (type === undefined || this.#isLeft(end)) return this.#reportMissing(end);
    const isShared = type === S_IFREG && linkCount(end) > 1;
    this.#found.set(end, { path: end, isLink: false, isShared });
  }

  /** Returns the first directory on the way that its owner may not search now, but could. */
  #closedAbove(path: string): string | undefined {
    const { directory } = this.#question;
    let closed: string | undefined;
    for (let at = path; at !== directory && at !== "/";) {
      at = parentOf(at);
      if (this.#isClosed(at, 0o1)) closed = at;
    }
    return closed;
  }

  #reportAllMissing(directory: string, names: readonly string[]): void {
    for (const name of names) {
      if (!name.startsWith(GIT)) this.#reportMissing(below(directory, name));
    }
  }

  #later(pending: Pending): void {
    if (this.#queued.has(pending.path) || KERNEL.has(pending.path)) return;
    this.#queued.add(pending.path);
    const isGit = pending.inGit || nameOf(pending.path) === ".git";
    (isGit ? this.#gitQueue : this.#queue).push(pending);
  }

  #isExcepted(path: string): boolean {
    return this.#question.except.includes(path);
  }

  #read({ path, depth, inGit }: Pending): void {
    const entries = this.#lists.of(path);
    if (this.#isClosed(path, 0o5)) return this.#findDirectory(path);
    const isGit = this.#gitNames.length > 0 && isGitDirectory(path, entries);
    if (isGit) this.#readGit(path, entries);
    for (const [name, type] of entries) {
      const ends = this.#ends.get(fold(name));
      if (ends === undefined && type !== S_IFDIR && name !== ".git") continue;
      const child = below(path, name);
      if (ends !== undefined && hasEnd(child, ends) && !this.#isExcepted(child)) {
        this.#find(child, type);
        if (child.endsWith("/.gitconfig")) this.#readConfig(child, path);
        if (child.endsWith("/.config/git")) this.#readConfig(`${child}/config`, path);
        continue;
      }
      if (name === ".git" && this.#gitNames.length > 0) {
        if (type === S_IFREG) {
          this.#find(child, type);
          this.#readPointer(child);
        } else if (type === S_IFLNK) this.#searchIn(this.#endOf(child));
      }
      if (type !== S_IFDIR || PASSED_OVER.has(name)) continue;
      // Of a directory of git, those of submodules and worktrees are of interest.
      if (isGit && name !== "modules" && name !== "worktrees") continue;
      const within = inGit || isGit;
      if (within || depth < MAX_DEPTH || name === ".git") {
        this.#later({ path: child, depth: depth + 1, inGit: within });
      }
    }
  }

  #readGit(directory: string, entries: ReadonlyMap<string, number>): void {
    for (const name of this.#gitNames) {
      const path = below(directory, name);
      const type = name.includes("/") ? typeOf(path) : entries.get(name);
      // A file that was left behind, and says that the common directory is this one.
      const isOwn = name === "commondir" && pointerIn(path) === directory;
      if (type !== undefined && !isOwn) this.#find(path, type);
      // A worktree has its hooks and its configuration in the common directory, but for this one.
      else if (
        (isOwn || !entries.has("commondir") || name === "config.worktree") &&
        this.#question.absent.includes(GIT + name)
      ) {
        const text = GIT_FILES[name];
        this.#missing.set(path, { path, ...(text !== undefined && { text }) });
      }
      if (name !== "config" || type !== S_IFREG) continue;
      this.#readConfig(path, parentOf(directory));
    }
    this.#readPointer(below(directory, "commondir"));
  }

  /** Notes the files that a configuration of git names, and those that these include. */
  #readConfig(file: string, worktree: string): void {
    if (this.#configs.has(file)) return;
    this.#configs.add(file);
    for (const { path: named, text } of namedInConfig(file, worktree, this.#question.home)) {
      const path = this.#endOf(named);
      if (path === undefined || !this.#isInside(path)) continue;
      const type = typeOf(path);
      if (type === undefined) {
        this.#reportMissing(path, text);
        continue;
      }
      this.#find(path, type);
      if (text !== undefined && type === S_IFREG) this.#readConfig(path, worktree);
    }
  }

  /** Reads a file that says where a directory of git is: .git of a worktree, or commondir. */
  #readPointer(file: string): void {
    const pointer = pointerIn(file);
    if (pointer !== undefined) this.#searchIn(this.#endOf(pointer));
  }

  /** Looks through a directory of git, however deep it is. */
  #searchIn(directory: string | undefined): void {
    if (directory === undefined || !this.#isInside(directory)) return;
    this.#later({ path: directory, depth: MAX_DEPTH, inGit: true });
  }

  /** Whether the user may not do something with a directory, but can change its mode. */
  #isClosed(path: string, rights: number): boolean {
    const owner = this.#lists.ownerOf(path);
    const { uid } = this.#question;
    // Root may do everything.
    return uid !== 0 && owner?.uid === uid && (owner.rights & rights) !== rights;
  }

  #findDirectory(path: string): void {
    if (this.#isExcepted(path)) return;
    this.#found.set(path, { path, isLink: false, isShared: false });
  }

  #isInside(path: string): boolean {
    return isWithin(path, this.#question.directory) && path !== this.#question.directory;
  }

  /** Notes a file, the links by which it is reached, and what links in a directory lead to. */
  #find(path: string, type: number): void {
    if (this.#found.has(path) || this.#isExcepted(path) || !this.#isInside(path)) return;
    if (type === S_IFLNK) return this.#follow(path);
    const isShared = type === S_IFREG && linkCount(path) > 1;
    this.#found.set(path, { path, isLink: false, isShared });
    if (type !== S_IFDIR) return;
    for (const [name, entry] of this.#lists.of(path)) {
      if (entry === S_IFLNK) this.#follow(below(path, name), true);
    }
  }

  /** Notes the links on the way that a link leads, and the file at its end. */
  #follow(link: string, isProtected = false): void {
    const end = this.#endOf(link, isProtected);
    const type = end === undefined ? undefined : typeOf(end);
    if (type === undefined && end !== undefined && this.#isInside(end)) this.#reportMissing(end);
    // What is a link in a protected directory may lead to a directory of sources.
    if (type === S_IFREG || type === S_IFDIR && !isProtected) this.#find(end!, type);
  }

  /** Notes the links on the way that a path leads, and returns the path at its end. */
  #endOf(link: string, isProtected = false): string | undefined {
    const rest = link.split("/").slice(1);
    let at = "";
    for (let links = 0; rest.length > 0;) {
      const name = rest.shift()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = at.slice(0, at.lastIndexOf("/"));
        continue;
      }
      const path = `${at}/${name}`;
      const target = isWithin(path, "/proc") ? undefined : linkTarget(path);
      if (target === undefined) {
        at = path;
        continue;
      }
      if (++links > MAX_LINKS) return undefined;
      // A link in a protected directory cannot be changed in any case.
      if (this.#isInside(path) && !(isProtected && path === link) && !this.#isExcepted(path)) {
        this.#found.set(path, { path, isLink: true, isShared: false });
      }
      if (target.startsWith("/")) at = "";
      rest.unshift(...target.split("/"));
    }
    return at;
  }

  /** Whether it is an empty directory that nobody may write to, as a killed script leaves one. */
  #isLeft(path: string): boolean {
    const seen = this.#lists.of(parentOf(path)).get(nameOf(path)) === S_IFDIR
      ? look(path)
      : undefined;
    return seen !== undefined && (seen.mode & 0o222) === 0 && this.#lists.of(path).size === 0;
  }

  /** Notes the first directory or file on the way to a path that does not exist. */
  #reportMissing(whole: string, text?: string): void {
    const { directory } = this.#question;
    let path = directory;
    for (const part of whole.slice(directory === "/" ? 1 : directory.length + 1).split("/")) {
      const entries = this.#lists.of(path);
      path = below(path, part);
      if (!entries.has(part) || this.#isLeft(path)) {
        const isFile = path === whole && text !== undefined;
        if (!this.#isExcepted(path)) this.#missing.set(path, { path, ...(isFile && { text }) });
        this.#found.delete(path);
        return;
      }
      if (entries.get(part) !== S_IFDIR || this.#found.has(path)) return;
    }
  }
}

/** In the order in which what is in a directory comes after it. */
function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

function hasEnd(path: string, ends: readonly string[]): boolean {
  const folded = fold(path);
  return ends.some((end) => folded.endsWith(`/${end}`));
}

/** Upper and lower case are the same on some filesystems. */
function fold(name: string): string {
  return name.toLowerCase();
}

function below(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** Whether the user may make files in a directory; otherwise the program may not either. */
function isWritable(directory: string): boolean {
  const call = faccessat(at_fdcwd, directory, W_OK);
  return syscalls([{ call, accept: [...NOTHING, "EROFS"] }]).result(call) === 0n;
}

function typeOf(path: string): number | undefined {
  return look(path)?.type;
}

function linkCount(path: string): number {
  return look(path)?.nlink ?? 0;
}
