/**
 * Looks for files by their names in a directory of the host and below it, within bounds.
 *
 * @module
 */

import { at_fdcwd, faccessat, S_IFDIR, S_IFLNK, S_IFREG, W_OK } from "../ffi/calls/files.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { isWithin, nameOf, parentOf } from "../recipe/path.ts";
import { type DirectoryList, DirectoryLists, look } from "./directory_lists.ts";
import {
  holdsRepositories,
  isGitDirectory,
  isGitName,
  mayHoldRepositories,
  pointerIn,
} from "./git_directory.ts";
import { GitRepositories } from "./git_repositories.ts";
import { isPlain, NameIndex } from "./name_index.ts";
import { linkTarget } from "./resolve_path.ts";

/** What is looked for. */
export interface NameQuestion {
  /** The directory, as a path without symbolic links. */
  readonly directory: string;
  /** The path by which it was asked for, if that is another one. */
  readonly asked?: string | undefined;
  /** Names, or ends of paths: `".git/hooks"`. With `~/` a path in the home directory. */
  readonly names: readonly string[];
  /**
   * Those of the names that are reported where they are missing: directly in the directory, and in
   * the repository in which `start` is, or in `start` itself.
   */
  readonly absent: readonly string[];
  /** A directory that is looked through with those around it, however deep it is. */
  readonly start?: string | undefined;
  /** The home directory, where all names are reported if they are missing. */
  readonly home?: string | undefined;
  /** The directory for what is in .config of the home directory, if it is another one. */
  readonly configHome?: string | undefined;
  /** Paths below the directory that are reported themselves, found or missing. */
  readonly paths?: readonly string[] | undefined;
  /** Files that are not reported. */
  readonly except: readonly string[];
  /** The user whose programs can change the modes of its directories. */
  readonly uid: number;
  /** In how many directories it may look; without a bound by default. */
  readonly most?: number | undefined;
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
  /** In how many directories it has looked; where they are more than `most`, it has given up. */
  readonly directories: number;
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
/** As the kernel does (path_resolution(7)). */
const MAX_LINKS = 40;

/** The kernel's directories, and those of package managers, where nobody's own files are. */
const OTHERS: ReadonlySet<string> = new Set(["/dev", "/proc", "/sys", "/gnu/store", "/nix/store"]);

/** Directories that are large, and hold other people's programs. */
const PASSED_OVER: ReadonlySet<string> = new Set(["node_modules"]);

/** Objects of git, by whose contents they have their names. */
const OBJECTS = /\/\.git\/(.*\/)?objects$/;

/** What git reads as if the file were not there; of a directory in its place it complains. */
const GIT_FILES: Readonly<Record<string, string>> = {
  commondir: ".\n",
  config: "",
  "config.worktree": "",
};

/** What keeps a user from making a file. */
const UNWRITABLE = [
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EINVAL",
  "ELOOP",
  "ENAMETOOLONG",
  "EROFS",
] as const;

/** A directory that is still to be read. */
interface Pending {
  readonly path: string;
  readonly depth: number;
  /** Whether it is in a directory of git, where repositories may be at any depth. */
  readonly inGit: boolean;
}

/** What is known of a path whose links are followed. */
interface Way {
  /** Whether it is in a directory that is protected. */
  readonly isProtected?: boolean;
  readonly base?: string | undefined;
}

/** Finds names, and remembers the directories, so that the next time only changed ones are read. */
export class NameScanner {
  readonly #lists: DirectoryLists = new DirectoryLists();
  readonly #asked: { readonly question: NameQuestion; readonly index: NameIndex }[] = [];

  /** Looks for the names of a question. */
  scan(question: NameQuestion): NameScan {
    const index = new NameIndex(question.names);
    this.#asked.push({ question, index });
    return new Search(question, index, this.#lists).run();
  }

  /** Looks for the names of all questions again. */
  again(): readonly NameScan[] {
    this.#lists.refresh();
    return this.#asked.map(({ question, index }) => new Search(question, index, this.#lists).run());
  }
}

/** One search. */
class Search {
  readonly #question: NameQuestion;
  readonly #index: NameIndex;
  readonly #lists: DirectoryLists;
  readonly #repositories: GitRepositories;
  readonly #found = new Map<string, FoundName>();
  readonly #missing = new Map<string, MissingName>();
  readonly #queue: Pending[] = [];
  readonly #queued = new Set<string>();
  /** In how many directories it has looked. */
  #directories = 0;

  constructor(question: NameQuestion, index: NameIndex, lists: DirectoryLists) {
    this.#question = question;
    this.#index = index;
    this.#lists = lists;
    const { home, configHome = home && `${home}/.config` } = question;
    this.#repositories = new GitRepositories({
      lists,
      home,
      general: [
        "/etc/gitconfig",
        ...(home === undefined ? [] : [`${home}/.gitconfig`]),
        ...(configHome === undefined ? [] : [`${configHome}/git/config`]),
      ],
      endOf: (path) => this.#endOf(path),
    });
  }

  run(): NameScan {
    const { directory, names, paths = [] } = this.#question;
    for (const path of paths) this.#reportPath(path);
    if (names.length > 0) {
      const around = this.#around(this.#question.start);
      for (const [index, path] of around.entries()) {
        // As deep below the first as below the directory itself.
        this.#later({ path, depth: index === 0 ? 0 : around.length - index, inGit: false });
      }
      this.#later({ path: directory, depth: 0, inGit: false });
      this.#readQueue();
      this.#reportProjects(around);
      this.#reportHome();
    }
    const directories = this.#directories;
    if (this.#isOver) return { found: [], missing: [], directories };
    const missing = this.#missingWhereWritable();
    const found = [...this.#found.values()].sort(byPath);
    return { found, missing: missing.sort(byPath), directories };
  }

  /** Reads the directories that are queued, and those that are found meanwhile. */
  #readQueue(): void {
    for (let at = 0; at < this.#queue.length;) {
      while (at < this.#queue.length && !this.#isOver) this.#read(this.#queue[at++]!);
      if (this.#isOver || this.#index.ofGit.length === 0) return;
      for (const { path, text } of this.#repositories.named()) this.#report(path, true, { text });
      // Worktrees may be deeper than others are looked for.
      for (const path of this.#repositories.worktrees()) {
        if (this.#isInside(path)) this.#later({ path, depth: MAX_DEPTH, inGit: false });
      }
    }
  }

  /** Whether it has looked in more directories than it may. */
  get #isOver(): boolean {
    return this.#directories > (this.#question.most ?? Infinity);
  }

  #missingWhereWritable(): MissingName[] {
    const parents = new Map<string, boolean>();
    return [...this.#missing.values()].filter(({ path }) => {
      const parent = parentOf(path);
      let writable = parents.get(parent);
      if (writable === undefined) parents.set(parent, writable = isWritable(parent));
      if (!writable && this.#isClosed(parent, 0o2)) this.#findDirectory(parent);
      return writable;
    });
  }

  /** A path and the directories around it, below the directory; none if it is not in there. */
  #around(start: string | undefined): readonly string[] {
    const { directory } = this.#question;
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
    this.#found.set(end, {
      path: end,
      isLink: false,
      isShared: type === S_IFREG && isShared(end),
    });
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

  /** Reports the names of projects: in the directory, where the search starts, and around these. */
  #reportProjects(around: readonly string[]): void {
    const { directory, asked, absent, start } = this.#question;
    // Nobody starts a program in / that reads what is there.
    const projects = new Set(directory === "/" ? [] : [directory]);
    // A program may have made a .git in between.
    for (const [index, path] of around.entries()) {
      if (index === 0 || this.#lists.of(path).has(".git")) projects.add(path);
    }
    // Where the directory is a part of a project, a link of that may lead into it.
    for (let at = directory; at !== "/";) {
      at = parentOf(at);
      if (at === start || look(below(at, ".git")) !== undefined) projects.add(at);
    }
    const plain = absent.filter(isPlain);
    for (const project of projects) this.#reportAll(project, plain);
    // What is written to may itself be the beginning of a name.
    const ends = [directory, asked ?? directory].flatMap((path) => this.#index.after(path));
    this.#reportAll(directory, [...new Set(ends)]);
  }

  #reportHome(): void {
    const { home, configHome } = this.#question;
    const { ofHome } = this.#index;
    if (home !== undefined) this.#reportAll(home, ofHome);
    if (configHome === undefined) return;
    const configs = ofHome.filter((name) => name.startsWith(CONFIG));
    this.#reportAll(configHome, configs.map((name) => name.slice(CONFIG.length)));
  }

  #reportAll(base: string, names: readonly string[]): void {
    if (names.length === 0) return;
    const entries = this.#lists.of(base);
    for (const name of names) {
      // Most are missing.
      if (entries.has(name.split("/", 1)[0]!)) this.#report(below(base, name), true, { base });
      else if (isWithin(base, this.#question.directory)) this.#reportMissing(below(base, name));
    }
  }

  /** Notes a path by where it leads and the links on the way, or what is missing of it. */
  #report(
    path: string,
    isAbsent: boolean,
    { text, base }: { readonly text?: string | undefined; readonly base?: string } = {},
  ): void {
    const end = this.#endOf(path, { base });
    if (end === undefined || !this.#isInside(end)) return;
    const type = typeOf(end);
    if (type !== undefined && !this.#isLeft(end)) this.#find(end, type);
    else if (isAbsent) this.#reportMissing(end, text);
  }

  #later(pending: Pending): void {
    if (this.#queued.has(pending.path) || OTHERS.has(pending.path)) return;
    this.#queued.add(pending.path);
    this.#queue.push(pending);
  }

  #isExcepted(path: string): boolean {
    return this.#question.except.includes(path);
  }

  #read(pending: Pending): void {
    const { path, depth, inGit } = pending;
    this.#directories++;
    const entries = this.#lists.of(path);
    if (this.#isClosed(path, 0o5)) return this.#findDirectory(path);
    const isGit = this.#index.ofGit.length > 0 && isGitDirectory(path, entries);
    if (isGit) this.#readGit(path, entries);
    const within = inGit || isGitName(nameOf(path));
    for (const [name, type] of entries) {
      if (this.#readName(path, name, type)) continue;
      if (type !== S_IFDIR || PASSED_OVER.has(name)) continue;
      const child = below(path, name);
      const isOfGit = within || isGitName(name) || isGit && holdsRepositories(name);
      if (within && !mayHoldRepositories(child)) continue;
      if (isOfGit || depth < MAX_DEPTH) {
        this.#later({ path: child, depth: depth + 1, inGit: within || isGit && isOfGit });
      }
    }
  }

  /** Notes a file in a directory that is read, if it has one of the names. Returns whether it has. */
  #readName(directory: string, name: string, type: number): boolean {
    if (this.#index.has(name)) {
      const path = below(directory, name);
      if (this.#index.isEndOf(path) && !this.#isExcepted(path)) {
        this.#find(path, type);
        return true;
      }
    }
    if (type === S_IFDIR) return false;
    const path = below(directory, name);
    if (type === S_IFLNK) {
      for (const rest of this.#index.after(path)) this.#report(below(path, rest), false);
    }
    if (!isGitName(name) || this.#index.ofGit.length === 0) return false;
    if (type === S_IFREG) {
      this.#find(path, type);
      this.#searchIn(pointerIn(path), directory);
    } else if (type === S_IFLNK) this.#searchIn(path, directory);
    return false;
  }

  #readGit(directory: string, entries: DirectoryList): void {
    for (const name of this.#index.ofGit) {
      const path = below(directory, name);
      const type = name.includes("/") ? typeOf(path) : entries.get(name);
      // A file that was left behind, and says that the common directory is this one.
      const isOwn = name === "commondir" && this.#isPointerTo(path, directory);
      if (type !== undefined && !isOwn) this.#find(path, type);
      // A worktree has its hooks and its configuration in the common directory, but for this one.
      else if (
        (isOwn || !entries.has("commondir") || name === "config.worktree") &&
        this.#question.absent.includes(GIT + name)
      ) {
        const text = GIT_FILES[name];
        this.#missing.set(path, { path, ...(text !== undefined && { text }) });
      }
    }
    this.#searchIn(directory);
  }

  #isPointerTo(file: string, directory: string): boolean {
    const pointer = pointerIn(file);
    return pointer !== undefined && this.#endOf(pointer) === directory;
  }

  /** Looks through a directory of git, and what its worktrees have in common, however deep. */
  #searchIn(directory: string | undefined, worktree?: string): void {
    const end = directory === undefined ? undefined : this.#endOf(directory);
    if (end === undefined) return;
    for (const path of new Set([end, this.#repositories.add(end, worktree)])) {
      if (this.#isInside(path)) this.#later({ path, depth: MAX_DEPTH, inGit: true });
    }
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

  /** Notes a file, the links by which it is reached, and what is in a directory. */
  #find(path: string, type: number): void {
    if (this.#found.has(path) || this.#isExcepted(path) || !this.#isInside(path)) return;
    if (type === S_IFLNK) return this.#follow(path);
    this.#found.set(path, { path, isLink: false, isShared: type === S_IFREG && isShared(path) });
    if (type === S_IFDIR) this.#lookThrough(path);
  }

  /** Notes where links in a protected directory lead, and the files in it that have other names. */
  #lookThrough(directory: string): void {
    const directories = [directory];
    for (const path of directories) {
      if (this.#isOver) return;
      this.#directories++;
      for (const [name, type] of this.#lists.of(path)) {
        const child = below(path, name);
        if (type === S_IFLNK) this.#follow(child, true);
        else if (type === S_IFREG && isShared(child)) {
          this.#found.set(child, { path: child, isLink: false, isShared: true });
        } else if (type === S_IFDIR && !PASSED_OVER.has(name) && !OBJECTS.test(child)) {
          directories.push(child);
        }
      }
    }
  }

  /** Notes the links on the way that a link leads, and the file at its end. */
  #follow(link: string, isProtected = false): void {
    const end = this.#endOf(link, { isProtected });
    const type = end === undefined ? undefined : typeOf(end);
    if (type === undefined && end !== undefined && this.#isInside(end)) this.#reportMissing(end);
    // A link in a protected directory may lead to the project around it.
    const isAround = isProtected && end !== undefined && isWithin(link, end);
    if (type === S_IFREG || type === S_IFDIR && !isAround) this.#find(end!, type);
  }

  /**
   * Notes the links on the way that a path leads, and returns the path at its end. There are none on
   * the way to the base.
   */
  #endOf(link: string, { isProtected = false, base }: Way = {}): string | undefined {
    const { directory } = this.#question;
    const start = base ?? (isWithin(link, directory) ? directory : "/");
    let at = start === "/" ? "" : start;
    const rest = link.slice(at.length).split("/");
    for (let links = 0; rest.length > 0;) {
      const name = rest.shift()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        at = at.slice(0, at.lastIndexOf("/"));
        continue;
      }
      const path = `${at}/${name}`;
      const target = this.#targetOf(at, name);
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
    return at === "" ? "/" : at;
  }

  /** Returns where a link leads; `undefined` if the file is none. */
  #targetOf(directory: string, name: string): string | undefined {
    if (isWithin(directory, "/proc") && directory !== "/") return undefined;
    const path = `${directory}/${name}`;
    if (!isWithin(directory, this.#question.directory)) return linkTarget(path);
    const entries = this.#lists.of(directory === "" ? "/" : directory);
    // A directory may be closed to those who read it, and open to those who know a name.
    const mayBeLink = entries.size === 0 || entries.get(name) === S_IFLNK;
    return mayBeLink ? linkTarget(path) : undefined;
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

const GIT = ".git/";
const CONFIG = ".config/";

/** In the order in which what is in a directory comes after it. */
function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

function below(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** Whether the user may make files in a directory; otherwise the program may not either. */
function isWritable(directory: string): boolean {
  const call = faccessat(at_fdcwd, directory, W_OK);
  return syscalls([{ call, accept: UNWRITABLE }]).result(call) === 0n;
}

function typeOf(path: string): number | undefined {
  return look(path)?.type;
}

/** Whether a file has another name, by which it could be changed. */
function isShared(path: string): boolean {
  return (look(path)?.nlink ?? 0) > 1;
}
