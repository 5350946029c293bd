/**
 * One search for names in a directory and below it.
 *
 * @module
 */

import { S_IFDIR, S_IFLNK, S_IFREG } from "../ffi/calls/files.ts";
import { isWithin, nameOf, parentOf } from "../recipe/path.ts";
import { type DirectoryList, type DirectoryLists, look } from "./directory_lists.ts";
import { FoundLinks } from "./found_links.ts";
import { below, FoundNames, isShared, typeOf } from "./found_names.ts";
import {
  holdsRepositories,
  isGitDirectory,
  isGitName,
  mayHoldRepositories,
  pointerIn,
} from "./git_directory.ts";
import { GitRepositories } from "./git_repositories.ts";
import { isPlain, type NameIndex } from "./name_index.ts";
import type { NameQuestion, NameScan } from "./name_question.ts";
import type { OtherNames } from "./other_names.ts";
import { SearchCost } from "./search_cost.ts";

/** How deep below the directory names are looked for. */
const MAX_DEPTH = 3;

/** The kernel's directories, and those of package managers, where nobody's own files are. */
const OTHERS: ReadonlySet<string> = new Set(["/dev", "/proc", "/sys", "/gnu/store", "/nix/store"]);

/** Directories that are large, and hold other people's programs. */
const PASSED_OVER: ReadonlySet<string> = new Set(["node_modules"]);

/** Objects of git, by whose contents they have their names. */
const OBJECTS = /\/\.git\/(.*\/)?objects$/;

const NONE: ReadonlySet<string> = new Set();
const HOME = "~/";
const GIT = ".git/";
const CONFIG = ".config/";

/** What git reads as if the file were not there; of a directory in its place it complains. */
const GIT_FILES: Readonly<Record<string, string>> = {
  commondir: ".\n",
  config: "",
  "config.worktree": "",
};

/** A directory that is still to be read. */
interface Pending {
  readonly path: string;
  readonly depth: number;
  /** Whether it is in a directory of git, where repositories may be at any depth. */
  readonly inGit: boolean;
}

/** One search. */
export class NameSearch {
  readonly #question: NameQuestion;
  readonly #index: NameIndex;
  readonly #lists: DirectoryLists;
  readonly #otherNames: OtherNames;
  readonly #repositories: GitRepositories;
  readonly #found: FoundNames;
  readonly #links: FoundLinks;
  readonly #queue: Pending[] = [];
  readonly #queued = new Set<string>();
  readonly #cost: SearchCost;

  constructor(
    question: NameQuestion,
    index: NameIndex,
    lists: DirectoryLists,
    otherNames: OtherNames,
  ) {
    this.#question = question;
    this.#index = index;
    this.#lists = lists;
    this.#otherNames = otherNames;
    this.#cost = new SearchCost(question.most ?? Infinity);
    this.#found = new FoundNames(question, lists, otherNames);
    this.#links = new FoundLinks(question.directory, lists, this.#found, this.#cost);
    const { home, configHome = home && `${home}/.config` } = question;
    this.#repositories = new GitRepositories({
      lists,
      cost: this.#cost,
      home,
      general: [
        "/etc/gitconfig",
        ...(home === undefined ? [] : [`${home}/.gitconfig`]),
        ...(configHome === undefined ? [] : [`${configHome}/git/config`]),
      ],
      endOf: (path) => this.#links.endOf(path),
    });
  }

  /** Searches. */
  run(): NameScan {
    const { directory, names, paths = [] } = this.#question;
    for (const path of paths) this.#reportPath(path);
    if (names.length > 0) {
      const ways = this.#starts().map((start) => this.#around(start));
      for (const around of ways) {
        for (const [index, path] of around.entries()) {
          // As deep below the first as below the directory itself.
          this.#later({ path, depth: index === 0 ? 0 : around.length - index, inGit: false });
        }
      }
      this.#later({ path: directory, depth: 0, inGit: false });
      this.#readQueue();
      for (const around of ways) this.#reportProjects(around);
      this.#reportNamesOf(directory);
      this.#reportHome();
      this.#reportMounts();
    }
    const { directories, isOver } = this.#cost;
    if (isOver) return { found: [], missing: [], directories };
    const missing = this.#found.missing();
    return { found: this.#found.files(), missing, directories };
  }

  /** Reads the directories that are queued, and those that are found meanwhile. */
  #readQueue(): void {
    for (let at = 0; at < this.#queue.length;) {
      while (at < this.#queue.length && !this.#cost.isOver) this.#read(this.#queue[at++]!);
      if (this.#index.ofGit.length === 0) return;
      for (const { path, text } of this.#repositories.named()) {
        if (this.#cost.isOver) return;
        this.#cost.addDirectory();
        this.#report(path, true, { text });
      }
      if (this.#cost.isOver) return;
      // Worktrees may be deeper than others are looked for.
      for (const worktree of this.#repositories.worktrees()) {
        for (const path of this.#found.pathsOf(worktree)) {
          this.#later({ path, depth: MAX_DEPTH, inGit: false });
        }
      }
    }
  }

  /** Returns the paths of the working directory in the directory; one that is not in there if there is none. */
  #starts(): readonly string[] {
    const { directory, start = directory } = this.#question;
    if (isWithin(start, directory)) return [start];
    const others = this.#otherNames.wholeOf(start).filter((path) => isWithin(path, directory));
    return others.length === 0 ? [start] : others;
  }

  /** A path and the directories around it, below the directory; none if it is not in there. */
  #around(start: string): readonly string[] {
    const { directory } = this.#question;
    if (!isWithin(start, directory)) return [];
    const around: string[] = [];
    for (let at = start; at !== directory; at = parentOf(at)) around.push(at);
    return around;
  }

  /** Notes a path, by where it leads and the links on the way, or what is missing of it. */
  #reportPath(path: string): void {
    const closed = this.#closedAbove(path);
    if (closed !== undefined) return this.#found.addClosed(closed);
    const end = this.#links.endOf(path);
    if (end === undefined || !this.#found.isInside(end)) return;
    const type = typeOf(end);
    if (type === undefined || this.#found.isLeft(end)) return this.#found.addMissingOf(end);
    this.#found.add(end, type);
  }

  /** Returns the first directory on the way that its owner may not search now, but could. */
  #closedAbove(path: string): string | undefined {
    const { directory } = this.#question;
    let closed: string | undefined;
    for (let at = path; at !== directory && at !== "/";) {
      at = parentOf(at);
      if (this.#found.isClosed(at, 0o1)) closed = at;
    }
    return closed;
  }

  /** Reports the names of projects: in the directory, where the search starts, and around these. */
  #reportProjects(around: readonly string[]): void {
    const { directory, absent, start } = this.#question;
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
  }

  /** Reports names where what is written to may itself be the beginning of one. */
  #reportNamesOf(directory: string): void {
    const { asked = directory } = this.#question;
    const paths = [directory, asked, ...this.#otherNames.wholeOf(directory)];
    this.#reportAll(directory, [...new Set(paths.flatMap((path) => this.#index.after(path)))]);
  }

  #reportHome(): void {
    const { home, configHome } = this.#question;
    const { ofHome } = this.#index;
    if (home !== undefined) this.#reportAll(home, ofHome, this.#presentInHome());
    if (configHome === undefined) return;
    const configs = ofHome.filter((name) => name.startsWith(CONFIG));
    this.#reportAll(configHome, configs.map((name) => name.slice(CONFIG.length)));
  }

  /** The names of the home directory that may be missing. */
  #presentInHome(): ReadonlySet<string> {
    const { present = [] } = this.#question;
    return new Set(present.map((name) => name.startsWith(HOME) ? name.slice(HOME.length) : name));
  }

  /** Reports what the host mounts in the directory, and has such a name elsewhere. */
  #reportMounts(): void {
    const { directory } = this.#question;
    for (const { root, target } of this.#otherNames.mountsIn(directory)) {
      const others = this.#otherNames.wholeOf(target);
      // What no other mount shows has a path in its filesystem alone.
      const places = others.length === 0
        ? [root]
        : others.filter((place) => !isWithin(place, directory));
      if (places.some((place) => this.#isNamed(place))) this.#report(target, false);
      this.#reportAll(target, places.flatMap((place) => this.#index.after(place)));
    }
  }

  /** Whether a path outside of the directory has one of the names, or a directory around it. */
  #isNamed(path: string): boolean {
    for (let at = path; at !== "/"; at = parentOf(at)) {
      if (this.#index.isEndOf(at) || this.#isOfGit(at)) return true;
    }
    return false;
  }

  #isOfGit(path: string): boolean {
    return this.#index.ofGit.some((name) => {
      if (!path.endsWith(`/${name}`)) return false;
      const directory = path.slice(0, -name.length - 1);
      return isGitDirectory(directory, this.#lists.of(directory));
    });
  }

  /** @param present those that are reported only if they are there */
  #reportAll(base: string, names: readonly string[], present: ReadonlySet<string> = NONE): void {
    if (names.length === 0) return;
    const entries = this.#lists.of(base);
    for (const name of names) {
      const path = below(base, name);
      // Most are missing.
      const mayBeMade = present.has(name);
      if (entries.has(name.split("/", 1)[0]!)) {
        this.#report(path, !mayBeMade, { base, isWhole: mayBeMade });
      } else if (!mayBeMade) {
        for (const at of this.#found.pathsOf(path)) this.#found.addMissingOf(at);
      }
    }
  }

  /** Notes a path by where it leads and the links on the way, or what is missing of it. */
  #report(
    path: string,
    isAbsent: boolean,
    { text, base, isWhole = false }: {
      readonly text?: string | undefined;
      readonly base?: string;
      /** Whether what is in a directory is not looked at. */
      readonly isWhole?: boolean;
    } = {},
  ): void {
    const end = this.#links.endOf(path, { base });
    for (const at of end === undefined ? [] : this.#found.pathsOf(end)) {
      const type = typeOf(at);
      if (type !== undefined && !this.#found.isLeft(at)) this.#find(at, type, isWhole);
      else if (isAbsent) this.#found.addMissingOf(at, text);
    }
  }

  #later(pending: Pending): void {
    if (this.#queued.has(pending.path) || OTHERS.has(pending.path)) return;
    this.#queued.add(pending.path);
    this.#queue.push(pending);
  }

  #read(pending: Pending): void {
    const { path, depth, inGit } = pending;
    this.#cost.addDirectory();
    const entries = this.#lists.of(path);
    if (this.#found.isClosed(path, 0o5)) return this.#found.addClosed(path);
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
      if (this.#index.isEndOf(path) && !this.#found.isExcepted(path)) {
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
        this.#found.addMissing(path, GIT_FILES[name]);
      }
    }
    this.#searchIn(directory);
  }

  #isPointerTo(file: string, directory: string): boolean {
    const pointer = pointerIn(file);
    return pointer !== undefined && this.#links.endOf(pointer) === directory;
  }

  /** Looks through a directory of git, and what its worktrees have in common, however deep. */
  #searchIn(directory: string | undefined, worktree?: string): void {
    const end = directory === undefined ? undefined : this.#links.endOf(directory);
    if (end === undefined) return;
    const found = new Set([end, this.#repositories.add(end, worktree)]);
    for (const path of [...found].flatMap((path) => this.#found.pathsOf(path))) {
      this.#later({ path, depth: MAX_DEPTH, inGit: true });
    }
  }

  /** Notes a file, the links by which it is reached, and what is in a directory. */
  #find(path: string, type: number, isWhole = false): void {
    const found = this.#found;
    if (found.has(path) || found.isExcepted(path) || !found.isInside(path)) return;
    if (type === S_IFLNK) return this.#follow(path);
    found.add(path, type);
    if (type === S_IFDIR && !isWhole) this.#lookThrough(path);
  }

  /** Notes where links in a protected directory lead, and the files in it that have other names. */
  #lookThrough(directory: string): void {
    const directories = [directory];
    for (const path of directories) {
      if (this.#cost.isOver) return;
      this.#cost.addDirectory();
      for (const [name, type] of this.#lists.of(path)) {
        const child = below(path, name);
        if (type === S_IFLNK) this.#follow(child, true);
        else if (type === S_IFREG && isShared(child)) this.#found.add(child, type);
        else if (type === S_IFDIR && !PASSED_OVER.has(name) && !OBJECTS.test(child)) {
          directories.push(child);
        }
      }
    }
  }

  /** Notes the links on the way that a link leads, and the file at its end. */
  #follow(link: string, isProtected = false): void {
    const end = this.#links.endOf(link, { isProtected });
    for (const at of end === undefined ? [] : this.#found.pathsOf(end)) {
      const type = typeOf(at);
      if (type === undefined) this.#found.addMissingOf(at);
      // A link in a protected directory may lead to the project around it.
      const isAround = isProtected && isWithin(link, at);
      if (type === S_IFREG || type === S_IFDIR && !isAround) this.#find(at, type);
    }
  }
}
