/**
 * What a search for names has found so far, in one directory.
 *
 * @module
 */

import { at_fdcwd, faccessat, S_IFDIR, S_IFREG, W_OK } from "../ffi/calls/files.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { isWithin, nameOf, parentOf } from "../recipe/path.ts";
import { type DirectoryLists, look } from "./directory_lists.ts";
import type { FoundName, MissingName, NameQuestion } from "./name_question.ts";
import type { OtherNames } from "./other_names.ts";

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

/** The files and missing names of one search. */
export class FoundNames {
  readonly #question: NameQuestion;
  readonly #lists: DirectoryLists;
  readonly #otherNames: OtherNames;
  readonly #found = new Map<string, FoundName>();
  readonly #missing = new Map<string, MissingName>();

  constructor(question: NameQuestion, lists: DirectoryLists, otherNames: OtherNames) {
    this.#question = question;
    this.#lists = lists;
    this.#otherNames = otherNames;
  }

  /** Whether a path is below the directory. */
  isInside(path: string): boolean {
    const { directory } = this.#question;
    return isWithin(path, directory) && path !== directory;
  }

  /** Returns the paths below the directory at which a file is, or a part of what is in it. */
  pathsOf(path: string): readonly string[] {
    if (this.isInside(path)) return [path];
    return this.#otherNames.of(path).filter((other) => this.isInside(other));
  }

  isExcepted(path: string): boolean {
    return this.#question.except.includes(path);
  }

  has(path: string): boolean {
    return this.#found.has(path);
  }

  /** Notes a file of this type. */
  add(path: string, type: number): void {
    this.#found.set(path, { path, isLink: false, isShared: type === S_IFREG && isShared(path) });
  }

  /** Notes a symbolic link on the way to a file, which a program could replace. */
  addLink(path: string): void {
    if (!this.isExcepted(path)) this.#found.set(path, { path, isLink: true, isShared: false });
  }

  /** Notes a directory that is closed. */
  addClosed(path: string): void {
    if (!this.isExcepted(path)) this.#found.set(path, { path, isLink: false, isShared: false });
  }

  /** Whether the user may not do something with a directory, but can change its mode. */
  isClosed(path: string, rights: number): boolean {
    const owner = this.#lists.ownerOf(path);
    const { uid } = this.#question;
    // Root may do everything.
    return uid !== 0 && owner?.uid === uid && (owner.rights & rights) !== rights;
  }

  /** Notes a name that is missing. */
  addMissing(path: string, text?: string): void {
    this.#missing.set(path, { path, ...(text !== undefined && { text }) });
  }

  /** Notes the first directory or file on the way to a path that does not exist. */
  addMissingOf(whole: string, text?: string): void {
    const { directory } = this.#question;
    let path = directory;
    for (const part of whole.slice(directory === "/" ? 1 : directory.length + 1).split("/")) {
      const entries = this.#lists.of(path);
      path = below(path, part);
      if (!entries.has(part) || this.isLeft(path)) {
        if (!this.isExcepted(path)) this.addMissing(path, path === whole ? text : undefined);
        this.#found.delete(path);
        return;
      }
      if (entries.get(part) !== S_IFDIR || this.#found.has(path)) return;
    }
  }

  /** Whether it is an empty directory that nobody may write to, as a killed script leaves one. */
  isLeft(path: string): boolean {
    const seen = this.#lists.of(parentOf(path)).get(nameOf(path)) === S_IFDIR
      ? look(path)
      : undefined;
    return seen !== undefined && (seen.mode & 0o222) === 0 && this.#lists.of(path).size === 0;
  }

  /** Returns the names that are missing where the user can make files, in order. */
  missing(): MissingName[] {
    const parents = new Map<string, boolean>();
    return [...this.#missing.values()].filter(({ path }) => {
      const parent = parentOf(path);
      let writable = parents.get(parent);
      if (writable === undefined) parents.set(parent, writable = isWritable(parent));
      if (!writable && this.isClosed(parent, 0o2)) this.addClosed(parent);
      return writable;
    }).sort(byPath);
  }

  /** Returns the files that are there, in order. */
  files(): FoundName[] {
    return [...this.#found.values()].sort(byPath);
  }
}

/** In the order in which what is in a directory comes after it. */
function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

/** Returns the path of a file in a directory. */
export function below(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** Returns the type of a file, in the bits of a mode. */
export function typeOf(path: string): number | undefined {
  return look(path)?.type;
}

/** Whether a file has another name, by which it could be changed. */
export function isShared(path: string): boolean {
  return (look(path)?.nlink ?? 0) > 1;
}

/** Whether the user may make files in a directory; otherwise the program may not either. */
function isWritable(directory: string): boolean {
  const call = faccessat(at_fdcwd, directory, W_OK);
  return syscalls([{ call, accept: UNWRITABLE }]).result(call) === 0n;
}
