/**
 * Finds what a program has changed: compares the upper directory of an overlay filesystem, which holds
 * the changes, with the directory of the host below it.
 *
 * @module
 */

import { S_IFDIR, S_IFLNK, S_IFMT } from "../ffi/calls/constants/files.ts";
import type { DirectoryEntry } from "../ffi/calls/getdents.ts";
import type { Statx } from "../ffi/calls/statx.ts";
import { SyscallError } from "../ffi/errors.ts";
import { isOverlayNote, isWhiteout, overlayNotes, type Xattr } from "../ffi/files/overlay_notes.ts";
import { type FoundDirectory, TreeReader } from "../ffi/files/read_tree.ts";
import { type FileState, kindOf } from "./change.ts";
import { ChangesError } from "./errors.ts";
import type { Tree } from "./tree.ts";

/** A change that was found. */
export interface FoundChange {
  /** The path in the directory; `.` is the directory itself. */
  readonly path: string;
  /** The file on the host now. */
  readonly host: Statx | undefined;
  /** The file in the upper directory; `undefined` for one that was removed. */
  readonly upper: Statx | undefined;
  /** What both are, as it is told. */
  readonly before: FileState | undefined;
  readonly after: FileState | undefined;
  /** What was done to it on the host since the start. */
  readonly conflict: string | undefined;
}

/**
 * Returns the changes, directories before what is in them.
 *
 * @param since when the directory was first held, by the clock of the files' status
 * @param namespace that of a user namespace, in which all files of the upper directory can be read
 * @throws {ChangesError} if the upper directory is none of a container's
 */
export async function compare(
  upper: Tree,
  host: Tree,
  since: bigint,
  namespace?: number,
): Promise<readonly FoundChange[]> {
  using files = new TreeReader(upper.fd, namespace);
  using others = new TreeReader(host.fd);
  const comparison = new Comparison(files, others, upper, host, since);
  await comparison.directory(".");
  return comparison.found.sort((a, b) => inTreeOrder(a.path, b.path));
}

/** The order in which a directory comes before what is in it, and that before its next sibling. */
function inTreeOrder(a: string, b: string): number {
  const [one, other] = [a, b].map((path) => path.replaceAll("/", "\0")) as [string, string];
  return one === other ? 0 : one === "." || (other !== "." && one < other) ? -1 : 1;
}

class Comparison {
  readonly found: FoundChange[] = [];
  readonly #files: TreeReader;
  readonly #others: TreeReader;
  readonly #upper: Tree;
  readonly #host: Tree;
  readonly #since: bigint;

  constructor(files: TreeReader, others: TreeReader, upper: Tree, host: Tree, since: bigint) {
    this.#files = files;
    this.#others = others;
    this.#upper = upper;
    this.#host = host;
    this.#since = since;
  }

  /** Compares a directory, and what is in it. */
  async directory(path: string): Promise<void> {
    const read = await this.#files.directory(path);
    const directory = { ...read, status: this.#statusOf(path, read.status) };
    const host = this.#host.status(path);
    const isThere = host !== undefined && isDirectory(host);
    const { opaque, copied } = this.#notes(path, directory.xattrs);
    if (!isThere || !await this.#isSameDirectory(path, directory, host)) {
      this.#add(path, host, directory.status, { copied });
    }
    const { entries } = directory;
    for await (const file of this.#files.files(path, entries.filter(isNoDirectory))) {
      const inside = within(path, file.name);
      const status = this.#statusOf(inside, file.status);
      await this.#file(inside, status, file.xattrs, file.target);
    }
    for (const { name } of entries.filter((entry) => !isNoDirectory(entry))) {
      await this.directory(within(path, name));
    }
    if (isThere && opaque) this.#removedBelow(path, entries);
  }

  async #file(
    path: string,
    status: Statx,
    xattrs: readonly Xattr[],
    target: string,
  ): Promise<void> {
    const host = this.#host.status(path);
    if (isWhiteout(status)) {
      if (host !== undefined) this.#add(path, host, undefined);
      return;
    }
    const { copied } = this.#notes(path, xattrs);
    if (host !== undefined && await this.#isSameFile(path, status, xattrs, target, host)) return;
    this.#add(path, host, status, { copied, target });
  }

  /**
   * The status of a file outside of the user namespace that it was read in, which does not map all
   * groups; the one in there where the user's own permissions keep the user out.
   */
  #statusOf(path: string, inside: Statx): Statx {
    try {
      return this.#upper.status(path) ?? inside;
    } catch (error) {
      if (error instanceof SyscallError && error.code === "EACCES") return inside;
      throw error;
    }
  }

  /** What was below a directory that another one has replaced is removed. */
  #removedBelow(path: string, entries: readonly DirectoryEntry[]): void {
    const kept = new Set(entries.map(({ name }) => name));
    for (const name of this.#host.names(path)) {
      if (kept.has(name)) continue;
      const inside = within(path, name);
      const host = this.#host.status(inside);
      if (host !== undefined) this.#add(inside, host, undefined);
    }
  }

  #notes(path: string, xattrs: readonly Xattr[]): { opaque: boolean; copied: boolean } {
    const { elsewhere, ...notes } = overlayNotes(xattrs);
    if (elsewhere === undefined) return notes;
    throw new ChangesError(
      `${
        this.#pathOf(path)
      } has the attribute ${elsewhere}: an overlay filesystem keeps a part of ` +
        "the file elsewhere, and such changes cannot be told",
      { code: "place" },
    );
  }

  #add(
    path: string,
    host: Statx | undefined,
    upper: Statx | undefined,
    { copied = false, target }: { copied?: boolean; target?: string } = {},
  ): void {
    const isLink = host !== undefined && (host.mode & S_IFMT) === S_IFLNK;
    this.found.push({
      path,
      host,
      upper,
      before: host && stateOf(host, isLink ? this.#host.target(path) : undefined),
      after: upper && stateOf(upper, target),
      conflict: this.#conflict(path, host, upper, copied),
    });
  }

  /** What was done to the file on the host since the start. */
  #conflict(
    path: string,
    host: Statx | undefined,
    upper: Statx | undefined,
    copied: boolean,
  ): string | undefined {
    if (host === undefined) return copied ? "it was removed meanwhile" : undefined;
    if (upper !== undefined && isDirectory(host) && isDirectory(upper)) {
      // Its status changes with each file that is made in it, which is no matter.
      return undefined;
    }
    try {
      const changed = this.#host.changedSince(path, this.#since);
      if (changed === undefined) return undefined;
      return changed === path
        ? "it was changed meanwhile"
        : `${this.#pathOf(changed)} was changed meanwhile`;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      return `it cannot be read (${error.code})`;
    }
  }

  #pathOf(path: string): string {
    return path === "." ? this.#host.path : `${this.#host.path}/${path}`;
  }

  async #isSameDirectory(
    path: string,
    { status, xattrs }: FoundDirectory,
    host: Statx,
  ): Promise<boolean> {
    // The owner of the directory itself may be one that nobody can give it.
    if (path === ".") return permissions(status) === permissions(host);
    if (!hasSameAttributes(status, host)) return false;
    return sameXattrs(xattrs, await ifReadable(() => this.#others.directory(path)));
  }

  /** Whether a file was copied, and nothing of it changed. */
  async #isSameFile(
    path: string,
    status: Statx,
    xattrs: readonly Xattr[],
    target: string,
    host: Statx,
  ): Promise<boolean> {
    const { mtime, size, rdev } = status;
    if (!hasSameAttributes(status, host) || mtime !== host.mtime) return false;
    if (size !== host.size || rdev !== host.rdev) return false;
    const type = host.mode & S_IFMT;
    if (type === S_IFLNK) return this.#host.target(path) === target;
    const slash = path.lastIndexOf("/");
    const [directory, name] = [slash < 0 ? "." : path.slice(0, slash), path.slice(slash + 1)];
    const other = await ifReadable(async () => {
      for await (const file of this.#others.files(directory, [{ name, type }])) return file;
      return undefined;
    });
    return sameXattrs(xattrs, other);
  }
}

function stateOf({ mode, uid, gid, size }: Statx, target: string | undefined): FileState {
  const kind = kindOf(mode);
  return {
    kind,
    mode: mode & 0o7777,
    uid,
    gid,
    size: kind === "file" ? size : 0,
    ...(target !== undefined && kind === "symlink" && { target }),
  };
}

/** The path of a name in a directory. */
export function within(directory: string, name: string): string {
  return directory === "." ? name : `${directory}/${name}`;
}

function isDirectory({ mode }: Pick<Statx, "mode">): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

function isNoDirectory({ type }: Pick<DirectoryEntry, "type">): boolean {
  return type !== S_IFDIR;
}

function permissions({ mode }: Statx): number {
  return mode & 0o7777;
}

function hasSameAttributes(one: Statx, other: Statx): boolean {
  return one.mode === other.mode && one.uid === other.uid && one.gid === other.gid;
}

/** What is asked of a file of the host; `undefined` where it may not be read. */
async function ifReadable<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

/** Whether the attributes that are copied are the same; one that cannot be read counts as another. */
function sameXattrs(
  xattrs: readonly Xattr[],
  other: { readonly xattrs: readonly Xattr[] } | undefined,
): boolean {
  if (other === undefined) return false;
  const [ours, theirs] = [xattrs, other.xattrs].map((all) =>
    all.filter(isCopied).map(({ name, value }) => `${name}=${value}`).sort().join("\n")
  );
  return ours === theirs;
}

/**
 * Whether an attribute is copied to the host: those of programs and access lists. Those of overlay
 * filesystems never are, as the directory is the lower one of the next container; nor are those by
 * which the kernel trusts a file.
 */
export function isCopied({ name }: Xattr): boolean {
  return name.startsWith("user.") && !isOverlayNote(name) || name.startsWith("system.posix_acl_");
}
