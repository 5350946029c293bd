/**
 * Makes held changes on the host, in three parts: copies of the new files are made in a directory of
 * its own beside them; the journal says that all is to be done; and each file is moved to its place.
 *
 * A process that is killed leaves all or nothing, once the next one has looked at the journal: what was
 * only prepared is removed, and what was begun is done. Each part can be done again from its beginning.
 *
 * @module
 */

import { O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY } from "../ffi/calls/constants/open.ts";
import { renameat2 } from "../ffi/calls/files.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { FoundFile } from "../ffi/files/read_tree.ts";
import { TreeReader } from "../ffi/files/read_tree.ts";
import { mkdirat } from "../ffi/linux/directories.ts";
import type { OwnedFd } from "../ffi/linux/owned_fd.ts";
import { ifThere } from "../ffi/missing.ts";
import { syscall } from "../ffi/syscalls.ts";
import { ChangesError } from "./errors.ts";
import {
  isDirectoryMode,
  isSame,
  type Journal,
  type JournalEntry,
  removeJournal,
  writeJournal,
} from "./journal.ts";
import {
  isDenied,
  linkFile,
  makeFile,
  type NewState,
  setAttributes,
  setModeOf,
} from "./new_files.ts";
import { Tree } from "./tree.ts";

/** A commit of a journal. */
export class Commit implements Disposable {
  readonly #place: Tree;
  readonly #journal: Journal;
  readonly #hosts: readonly Tree[];
  /** The directories that could not be made, in which nothing can be made either. */
  readonly #left: { readonly directory: number; readonly path: string }[] = [];

  /**
   * @param place the directory of the journal, and of the upper directories
   * @throws {SyscallError} if one of the directories is not there
   */
  constructor(place: Tree, journal: Journal) {
    this.#place = place;
    this.#journal = journal;
    const hosts: Tree[] = [];
    try {
      for (const { path } of journal.directories) hosts.push(new Tree(path));
    } catch (error) {
      for (const host of hosts) host[Symbol.dispose]();
      throw error;
    }
    this.#hosts = hosts;
  }

  /**
   * Makes copies of all new files. If it fails, nothing of the host has changed.
   *
   * @param namespace that of a user namespace, in which all files of the upper directories can be read
   */
  async prepare(namespace?: number): Promise<void> {
    try {
      writeJournal(this.#place.fd, { ...this.#journal, state: "prepare" });
      for (const [index, host] of this.#hosts.entries()) {
        this.#checkFilesystems(index, host);
        await host.remove(this.#own);
        mkdirat(host.fd, this.#own, 0o700);
        await this.#copyFiles(index, namespace);
      }
    } catch (error) {
      await this.giveUp();
      throw error;
    }
  }

  /** Decides that all of it is to be done, by whoever comes to it. */
  decide(): void {
    writeJournal(this.#place.fd, { ...this.#journal, state: "commit" });
  }

  /**
   * Moves each file to its place. What somebody else has put there since the changes were compared
   * stays.
   *
   * @returns the paths of those
   */
  async perform(): Promise<readonly string[]> {
    const left: string[] = [];
    for (const [index, entry] of this.#journal.entries.entries()) {
      const { directory, path } = entry;
      const isBelow = this.#left.some((other) =>
        other.directory === directory && path.startsWith(`${other.path}/`)
      );
      if (!isBelow && this.#perform(index, entry)) continue;
      this.#left.push({ directory, path });
      left.push(pathOf(this.#hosts[directory]!, path));
    }
    await this.#removeOwn();
    for (const entry of this.#journal.entries.toReversed()) await this.#finishDirectory(entry);
    removeJournal(this.#place.fd);
    return left;
  }

  /** Removes what was prepared. */
  async giveUp(): Promise<void> {
    await this.#removeOwn();
    removeJournal(this.#place.fd);
  }

  /** Closes the directories. */
  [Symbol.dispose](): void {
    for (const host of this.#hosts) host[Symbol.dispose]();
  }

  /** The name of the directory with the copies, and with what was removed. */
  get #own(): string {
    return `.ramekin-${this.#journal.id}`;
  }

  async #removeOwn(): Promise<void> {
    for (const host of this.#hosts) await host.remove(this.#own);
  }

  /** Refuses changes in a part of a directory to which no file can be moved, as a subvolume of btrfs. */
  #checkFilesystems(directory: number, host: Tree): void {
    const { dev } = host.status(".")!;
    const checked = new Set<string>();
    for (const entry of this.#journal.entries) {
      if (entry.directory !== directory || entry.path === ".") continue;
      for (const path of [split(entry.path).parent, entry.path]) {
        const isKnown = checked.has(path) || path === entry.path && entry.before === undefined;
        if (isKnown || (host.status(path)?.dev ?? dev) === dev) {
          checked.add(path);
          continue;
        }
        throw new ChangesError(
          `${pathOf(host, path)} is on another filesystem than ${host.path}, or another subvolume`,
          { code: "invalid", advice: ["hold it as a directory of its own"] },
        );
      }
    }
  }

  /** Makes copies of the files of one directory, those that lie beside each other by one reader. */
  async #copyFiles(directory: number, namespace: number | undefined): Promise<void> {
    const { name } = this.#journal.directories[directory]!;
    using upper = new Tree(`${this.#place.path}/${name}/upper`);
    using reader = new TreeReader(upper.fd, namespace);
    using own = this.#hosts[directory]!.open(this.#own, O_PATH | O_DIRECTORY);
    const copies = this.#journal.entries.flatMap((entry, index) =>
      entry.directory !== directory || entry.after === undefined ||
        isDirectoryMode(entry.after.mode)
        ? []
        : [{ index, path: entry.path, after: entry.after, ...split(entry.path) }]
    );
    const names = new Map<string, string>();
    for (const [parent, group] of Map.groupBy(copies, ({ parent }) => parent)) {
      const types = group.map(({ name, after }) => ({ name, type: after.mode & 0o170000 }));
      let at = 0;
      for await (const file of reader.files(parent, types)) {
        const { index, path, after } = group[at++]!;
        checkSame(pathOf(this.#hosts[directory]!, path), file, after);
        const other = after.inode === undefined ? undefined : names.get(after.inode);
        if (other !== undefined) linkFile(own.number, String(index), other);
        else await makeFile(own.number, String(index), after, file.xattrs, file.fd);
        if (after.inode !== undefined) names.set(after.inode, String(index));
      }
    }
  }

  /** Makes a change; returns whether it is made, now or before. */
  #perform(index: number, { directory, path, before, after }: JournalEntry): boolean {
    const host = this.#hosts[directory]!;
    const [copy, old] = [`${this.#own}/${index}`, `${this.#own}/old${index}`];
    const now = host.status(path);
    const wasMoved = host.status(old) !== undefined;
    const isHere = isSame(wasMoved ? undefined : before, now);
    if (after === undefined) {
      if (wasMoved || now === undefined) return true;
      if (isHere) move(host, path, old);
      return isHere;
    }
    if (isDirectoryMode(after.mode)) {
      if (now !== undefined && isDirectoryMode(now.mode)) {
        // Its owner has to get in, to make files in it; the permissions come in the end.
        if ((now.mode & 0o700) !== 0o700) setMode(host, path, now.mode | 0o700);
        return true;
      }
      if (!isHere) return false;
      if (now !== undefined) move(host, path, old);
      using place = host.place(path);
      mkdirat(place.directory, place.name, 0o700);
      return true;
    }
    if (host.status(copy) === undefined) return true;
    if (!isHere) return false;
    if (now !== undefined && isDirectoryMode(now.mode)) move(host, path, old);
    move(host, copy, path);
    return true;
  }

  /** Gives a directory its attributes; nothing is made in it afterwards. */
  async #finishDirectory({ directory, path, before, after }: JournalEntry): Promise<void> {
    if (after === undefined || !isDirectoryMode(after.mode)) return;
    if (this.#left.some((other) => other.directory === directory && other.path === path)) return;
    const host = this.#hosts[directory]!;
    const { name } = this.#journal.directories[directory]!;
    using upper = new Tree(`${this.#place.path}/${name}/upper`);
    using opened = openDirectory(host, path);
    if (opened === undefined) return;
    const xattrs = await xattrsOf(upper, path);
    const isNew = before === undefined || !isDirectoryMode(before.mode);
    const owner = path === "." ? ownerOf(host) : after;
    setAttributes(opened.number, { ...after, ...owner }, xattrs, isNew);
  }
}

/** A directory of the host, unless it is gone. */
function openDirectory(host: Tree, path: string): OwnedFd | undefined {
  return ifThere(() => host.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
}

/** The directory itself stays whose it is. */
function ownerOf(host: Tree): { uid: number; gid: number } {
  const { uid, gid } = host.status(".")!;
  return { uid, gid };
}

async function xattrsOf(upper: Tree, path: string) {
  try {
    using reader = new TreeReader(upper.fd);
    return (await reader.directory(path)).xattrs;
  } catch (error) {
    // A directory that its owner may not read has no attributes that are worth more.
    if (isDenied(error)) return [];
    throw error;
  }
}

/** Moves a file; a directory that its owner may not change is made one first. */
function move(host: Tree, from: string, to: string): void {
  using source = host.place(from);
  using target = host.place(to);
  const rename = () =>
    syscall(
      renameat2(source.directory.number, source.name, target.directory.number, target.name, 0),
    );
  try {
    rename();
  } catch (error) {
    if (!isDenied(error)) throw error;
    const status = host.status(from);
    if (status === undefined || !isDirectoryMode(status.mode)) throw error;
    setMode(host, from, status.mode | 0o700);
    rename();
  }
}

function setMode(host: Tree, path: string, mode: number): void {
  using directory = host.open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  setModeOf(directory.number, mode);
}

/** Checks that a file is the one that was compared: a program that still runs may have changed it. */
function checkSame(path: string, { status, target }: FoundFile, after: NewState): void {
  const { mode, size, mtime, ino } = status;
  const isSame = mode === after.mode && size === after.size && String(mtime) === after.mtime &&
    String(ino) === after.ino && target === (after.target ?? "");
  if (isSame) return;
  throw new ChangesError(`${path} has been changed by a program since the changes were compared`, {
    code: "in-use",
    advice: ["wait for the end of all containers that use the directory"],
  });
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0
    ? { parent: ".", name: path }
    : { parent: path.slice(0, slash), name: path.slice(slash + 1) };
}

function pathOf(host: Tree, path: string): string {
  return path === "." ? host.path : `${host.path}/${path}`;
}

/** Whether an error says that a directory is not there any more. */
export function isGone(error: unknown): boolean {
  return error instanceof SyscallError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code);
}
