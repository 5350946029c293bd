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
import { type BatchArgument, BatchResult, CallBatch } from "../call_batch.ts";
import { geteuid } from "../calls/users.ts";
import type { ErrnoName } from "../errno.ts";
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
  /** Its attributes; those of links and devices are read for root alone, as nobody else sees any. */
  readonly xattrs: readonly Xattr[];
  /**
   * The descriptor of a regular file, which is open until the next file is asked for; none of one that
   * may not be read, where that is no failure.
   */
  readonly fd: number | undefined;
}

/** A directory: its own status and attributes, and what is in it. */
export interface FoundDirectory {
  readonly status: Statx;
  readonly mtime: number;
  readonly xattrs: readonly Xattr[];
  readonly entries: readonly DirectoryEntry[];
}

/** How a tree is read. */
export interface TreeReaderOptions {
  /** Whether files are listed too that this user may not read. */
  readonly unreadable?: boolean;
}

/** Reads a tree. */
export class TreeReader implements Disposable {
  readonly #root: number;
  readonly #calls: CallBatch;
  readonly #unreadable: readonly ErrnoName[];
  /** Attributes of links and devices are not the user's own: the kernel shows them to root alone. */
  readonly #seesAll: boolean;
  readonly #open = new Set<number>();

  /**
   * @param root the descriptor of the directory
   * @param namespace that of the user namespace in which the files are read
   */
  constructor(root: number, namespace?: number, { unreadable = false }: TreeReaderOptions = {}) {
    this.#root = root;
    this.#unreadable = unreadable ? ["EACCES", "EPERM"] : [];
    this.#seesAll = namespace === undefined && syscall(geteuid()) === 0;
    // Last, as nobody would free its memory if something failed behind it.
    this.#calls = new CallBatch(engine(), MEMORY, namespace);
  }

  /** Reads a directory. */
  async directory(path: string): Promise<FoundDirectory> {
    const calls = this.#calls;
    const opened = openBeneath(calls, this.#root, path, O_RDONLY);
    const fd = new BatchResult(opened);
    const status = calls.output(STATX_SIZE);
    calls.add("statx", [fd, calls.name(""), AT_EMPTY_PATH, STATX_BASIC_STATS, status]);
    const names = this.#listXattrs("flistxattr", fd);
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
    if (entries.length === 0) return;
    const directory = await this.#openDirectory(path);
    try {
      for (let at = 0; at < entries.length; at += AT_ONCE) {
        for (const file of await this.#group(path, directory, entries.slice(at, at + AT_ONCE))) {
          try {
            yield file;
          } finally {
            if (file.fd !== undefined) this.#close(file.fd);
          }
        }
      }
    } finally {
      this.#close(directory);
    }
  }

  /** Frees its memory, and closes what is open. */
  [Symbol.dispose](): void {
    for (const fd of this.#open) syscall(close(fd));
    this.#calls[Symbol.dispose]();
  }

  async #openDirectory(path: string): Promise<number> {
    const opened = openBeneath(this.#calls, this.#root, path, O_PATH);
    await this.#run(path, [opened]);
    const directory = this.#opened(opened);
    this.#calls.clear();
    return directory;
  }

  async #entries(path: string, fd: number): Promise<DirectoryEntry[]> {
    const calls = this.#calls;
    const entries: DirectoryEntry[] = [];
    for (;;) {
      // Most directories end with the second call.
      const reads = [0, 1].map(() => {
        const listed = calls.output(LISTED);
        return { listed, read: calls.add("getdents64", [fd, listed, LISTED]) };
      });
      await this.#run(path);
      const sizes = reads.map(({ read }) => calls.result(read)!);
      for (const [index, { listed }] of reads.entries()) {
        entries.push(...readDirectoryEntries(calls.read(listed, LISTED), sizes[index]!));
      }
      calls.clear();
      if (sizes.includes(0)) return entries;
    }
  }

  async #group(
    path: string,
    directory: number,
    entries: readonly Pick<DirectoryEntry, "name" | "type">[],
  ): Promise<FoundFile[]> {
    const calls = this.#calls;
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
      // What may not be read has no attributes to be listed either.
      const edges = { accept: this.#unreadable, skip: 1 };
      const opened = type === S_IFREG
        ? calls.add("openat", [directory, address, flags], edges)
        : undefined;
      const names = opened !== undefined
        ? this.#listXattrs("flistxattr", new BatchResult(opened))
        : this.#seesAll
        ? this.#listXattrs("llistxattr", calls.name(pathOf(directory, name)))
        : () => [];
      return { name, status, target, link, opened, names };
    });
    const opens = asked.flatMap(({ opened }) => opened ?? []);
    await this.#run(path, opens);
    const files = asked.map(({ name, status, target, link, opened, names }) => {
      const bytes = target === undefined ? undefined : calls.read(target, calls.result(link!)!);
      return {
        name,
        status: readStatx(calls.read(status, STATX_SIZE)),
        mtime: mtimeOf(calls.read(status, STATX_SIZE)),
        target: bytes === undefined ? "" : decodeName(copyOf(bytes)),
        fd: opened === undefined || calls.result(opened)! < 0 ? undefined : this.#opened(opened),
        names: names(),
      };
    });
    calls.clear();
    const found: FoundFile[] = [];
    for (const { names, ...file } of files) {
      const place = file.fd ?? pathOf(directory, file.name);
      found.push({ ...file, xattrs: await this.#xattrs(path, place, names) });
    }
    return found;
  }

  /** Adds the call that lists the attributes of a file; returns what reads them after the run. */
  #listXattrs(
    name: "flistxattr" | "llistxattr",
    file: BatchArgument,
  ): () => string[] {
    const calls = this.#calls;
    const list = calls.output(NAMES);
    const index = calls.add(name, [file, list, NAMES], { accept: ["EOPNOTSUPP"] });
    return () => {
      const size = calls.result(index) ?? 0;
      if (size <= 0) return [];
      return decodeName(copyOf(calls.read(list, size))).split("\0").slice(0, -1);
    };
  }

  /** @param file its descriptor, or the path of one that is not opened */
  async #xattrs(
    path: string,
    file: number | string,
    names: readonly string[],
  ): Promise<Xattr[]> {
    const xattrs: Xattr[] = [];
    const calls = this.#calls;
    for (const name of names) {
      const value = calls.output(VALUE);
      const [call, place] = typeof file === "number"
        ? ["fgetxattr", file] as const
        : ["lgetxattr", calls.name(file)] as const;
      const args = [place, calls.name(name), value, VALUE];
      // An attribute that was listed may be one that only others may read.
      const read = calls.add(call, args, { accept: ["ENODATA", "EPERM", "EOPNOTSUPP"] });
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

/** The path of a file that cannot be opened, such as a link: no call takes its directory beside it. */
function pathOf(directory: number, name: string): string {
  return `/proc/self/fd/${directory}/${name}`;
}

function mtimeOf(status: DataView): number {
  return Number(status.getBigInt64(STATX_MTIME, true));
}

function copyOf({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}
