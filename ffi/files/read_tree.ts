/**
 * Reads the files of a tree on disk, whoever in a user namespace owns them: names, status,
 * attributes and data.
 *
 * @module
 */

import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from "../calls/constants/at.ts";
import { S_IFLNK, S_IFREG } from "../calls/constants/files.ts";
import { O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } from "../calls/constants/open.ts";
import { STATX_BASIC_STATS } from "../calls/constants/statx.ts";
import { close } from "../calls/files.ts";
import { type DirectoryEntry, readDirectoryEntries } from "../calls/getdents.ts";
import { readStatx, type Statx } from "../calls/statx.ts";
import { BatchResult, CallBatch } from "../call_batch.ts";
import { engine } from "../engine/engine.ts";
import { SyscallError } from "../errors.ts";
import { decodeName } from "../file_name.ts";
import { syscall } from "../syscalls.ts";
import { openBeneath } from "./beneath.ts";
import type { Xattr } from "./overlay_notes.ts";

const [MEMORY, LISTED, NAMES, VALUE, TARGET] = [1 << 20, 1 << 15, 4096, 1 << 16, 4096];
/** The size of struct statx, and where it has the time of the last change. */
const [STATX_SIZE, STATX_MTIME] = [256, 112];
/** How many files are looked at by one run; those that are regular are open meanwhile. */
const AT_ONCE = 64;

/** A file of the tree. */
export interface FoundFile {
  readonly name: string;
  readonly status: Statx;
  /** When it was last changed, in whole seconds. */
  readonly mtime: number;
  /** The target of a symbolic link. */
  readonly target: string;
  /** Attributes of regular files and directories. */
  readonly xattrs: readonly Xattr[];
  /** The descriptor of a regular file, which is open until the next file is asked for. */
  readonly fd: number | undefined;
}

/** A directory: its own status and attributes, and what is in it. */
export interface FoundDirectory {
  readonly status: Statx;
  readonly mtime: number;
  readonly xattrs: readonly Xattr[];
  readonly entries: readonly DirectoryEntry[];
}

/** Reads a tree. */
export class TreeReader implements Disposable {
  readonly #root: number;
  readonly #calls: CallBatch;
  readonly #open = new Set<number>();

  /**
   * @param root the descriptor of the directory
   * @param namespace that of the user namespace in which the files are read
   */
  constructor(root: number, namespace?: number) {
    this.#root = root;
    this.#calls = new CallBatch(engine(), MEMORY, namespace);
  }

  /** Reads a directory. */
  async directory(path: string): Promise<FoundDirectory> {
    const calls = this.#calls;
    const opened = openBeneath(calls, this.#root, path, O_RDONLY);
    const fd = new BatchResult(opened);
    const status = calls.output(STATX_SIZE);
    calls.add("statx", [fd, calls.name(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
    const names = this.#listXattrs(fd);
    await this.#run(path, [opened]);
    const number = this.#opened(opened);
    const found = {
      status: readStatx(calls.read(status, STATX_SIZE)),
      mtime: mtimeOf(calls.read(status, STATX_SIZE)),
    };
    const xattrNames = names();
    calls.clear();
    const xattrs = await this.#xattrs(path, number, xattrNames);
    const entries = await this.#entries(path, number);
    this.#close(number);
    return { ...found, xattrs, entries };
  }

  /** Reads files of a directory, in this order. */
  async *files(
    path: string,
    entries: readonly Pick<DirectoryEntry, "name" | "type">[],
  ): AsyncGenerator<FoundFile> {
    for (let at = 0; at < entries.length; at += AT_ONCE) {
      for (const file of await this.#group(path, entries.slice(at, at + AT_ONCE))) {
        try {
          yield file;
        } finally {
          if (file.fd !== undefined) this.#close(file.fd);
        }
      }
    }
  }

  /** Frees its memory, and closes what is open. */
  [Symbol.dispose](): void {
    for (const fd of this.#open) syscall(close(fd));
    this.#calls[Symbol.dispose]();
  }

  async #entries(path: string, fd: number): Promise<DirectoryEntry[]> {
    const calls = this.#calls;
    const entries: DirectoryEntry[] = [];
    for (;;) {
      const listed = calls.output(LISTED);
      const read = calls.add("getdents64", [fd, listed, LISTED]);
      await this.#run(path);
      const size = calls.result(read)!;
      entries.push(...readDirectoryEntries(calls.read(listed, LISTED), size));
      calls.clear();
      if (size === 0) return entries;
    }
  }

  async #group(
    path: string,
    entries: readonly Pick<DirectoryEntry, "name" | "type">[],
  ): Promise<FoundFile[]> {
    const calls = this.#calls;
    const directory = new BatchResult(openBeneath(calls, this.#root, path, O_PATH));
    const asked = entries.map(({ name, type }) => {
      const address = calls.name(name);
      const status = calls.output(STATX_SIZE);
      const mask = [AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS] as const;
      calls.add("statx", [directory, address, ...mask, status]);
      const target = type === S_IFLNK ? calls.output(TARGET) : undefined;
      const link = target === undefined
        ? undefined
        : calls.add("readlinkat", [directory, address, target, TARGET]);
      const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
      const opened = type === S_IFREG
        ? calls.add("openat", [directory, address, flags])
        : undefined;
      const names = opened === undefined ? () => [] : this.#listXattrs(new BatchResult(opened));
      return { name, status, target, link, opened, names };
    });
    calls.add("close", [directory]);
    const opens = asked.flatMap(({ opened }) => opened ?? []);
    // Where a call fails, the directory has not been closed yet.
    await this.#run(path, [directory.index, ...opens]);
    const files = asked.map(({ name, status, target, link, opened, names }) => {
      const bytes = target === undefined ? undefined : calls.read(target, calls.result(link!)!);
      return {
        name,
        status: readStatx(calls.read(status, STATX_SIZE)),
        mtime: mtimeOf(calls.read(status, STATX_SIZE)),
        target: bytes === undefined ? "" : decodeName(copyOf(bytes)),
        fd: opened === undefined ? undefined : this.#opened(opened),
        names: names(),
      };
    });
    calls.clear();
    const found: FoundFile[] = [];
    for (const { names, ...file } of files) {
      const xattrs = file.fd === undefined ? [] : await this.#xattrs(path, file.fd, names);
      found.push({ ...file, xattrs });
    }
    return found;
  }

  /** Adds the call that lists the attributes of an open file; returns what reads them after the run. */
  #listXattrs(fd: BatchResult): () => string[] {
    const calls = this.#calls;
    const list = calls.output(NAMES);
    const index = calls.add("flistxattr", [fd, list, NAMES], { accept: ["EOPNOTSUPP"] });
    return () => {
      const size = calls.result(index)!;
      if (size <= 0) return [];
      return decodeName(copyOf(calls.read(list, size))).split("\0").slice(0, -1);
    };
  }

  async #xattrs(path: string, fd: number, names: readonly string[]): Promise<Xattr[]> {
    const xattrs: Xattr[] = [];
    const calls = this.#calls;
    for (const name of names) {
      const value = calls.output(VALUE);
      const args = [fd, calls.name(name), value, VALUE];
      // An attribute that was listed may be one that only others may read.
      const read = calls.add("fgetxattr", args, { accept: ["ENODATA", "EPERM", "EOPNOTSUPP"] });
      await this.#run(path);
      const size = calls.result(read)!;
      if (size >= 0) xattrs.push({ name, value: copyOf(calls.read(value, size)) });
      calls.clear();
    }
    return xattrs;
  }

  async #run(path: string, opens: readonly number[] = []): Promise<void> {
    const failure = await this.#calls.run();
    if (failure === undefined) return;
    for (const index of opens) {
      if ((this.#calls.result(index) ?? -1) >= 0) this.#opened(index);
    }
    const { name, errno } = failure;
    this.#calls.clear();
    throw new SyscallError({ syscall: name, errno, call: `${JSON.stringify(path)}: ${name}(2)` });
  }

  #opened(index: number): number {
    const fd = this.#calls.result(index)!;
    this.#open.add(fd);
    return fd;
  }

  #close(fd: number): void {
    this.#open.delete(fd);
    syscall(close(fd));
  }
}

function mtimeOf(status: DataView): number {
  return Number(status.getBigInt64(STATX_MTIME, true));
}

function copyOf({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}
