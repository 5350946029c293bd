/**
 * The archive of a layer that holds what is new in a tree: each directory, the files in it by their
 * names, and then its directories. All files have one time, so that the same tree is the same bytes.
 *
 * @module
 */

import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFMT, S_IFREG } from "../../ffi/calls/constants/files.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { type FoundDirectory, type FoundFile, TreeReader } from "../../ffi/files/read_tree.ts";
import { open } from "../../ffi/linux/files.ts";
import { nameOf, parentOf } from "../../recipe/path.ts";
import {
  dataOf,
  END_OF_ARCHIVE,
  headerOf,
  inside,
  KINDS,
  LayerSize,
  type NewEntry as ArchiveEntry,
  OPAQUE,
  paddingOf,
  refuseWhiteout,
  signEntry,
} from "../layer/mod.ts";
import { ImageError } from "../errors.ts";
import { type BaseAttributes, UNNAMED } from "./base.ts";
import { copiedAttributes } from "./copied_attributes.ts";
import type { CopiedFile, DirectorySource, NewEntry, PackedDirectory } from "./tree.ts";

/** Something of a copied directory that is not in the image as it is on this machine. */
export interface NotCopied {
  /** The path in the image. */
  readonly path: string;
  /** What was left out. */
  readonly what: string;
  /** Why. */
  readonly why: string;
}

/** How a tree is written. */
export interface TreeOptions {
  /** The time of all files, in seconds. */
  readonly time: number;
  /** What the base says of directories and files that stay its own. */
  readonly base: ReadonlyMap<string, BaseAttributes>;
  /** The most bytes of all files together. */
  readonly maxBytes: number;
}

/** A directory of the tree, and its path. */
interface Place {
  readonly path: string;
  readonly directory: Pick<
    PackedDirectory,
    "children" | "source" | "mode" | "owner" | "unpackedMode" | "opaque" | "isChanged"
  >;
}

/** Writes the archive of a tree. */
export class TreeArchive implements Disposable {
  readonly notCopied: NotCopied[] = [];
  readonly #root: PackedDirectory;
  readonly #options: TreeOptions;
  readonly #size: LayerSize;
  readonly #readers = new Map<string, TreeReader>();
  readonly #open = new DisposableStack();
  /** The names of copied files that have several. */
  readonly #links = new Map<string, string>();

  constructor(root: PackedDirectory, options: TreeOptions) {
    this.#root = root;
    this.#options = options;
    this.#size = new LayerSize(options.maxBytes);
  }

  /** Its bytes. */
  async *parts(): AsyncGenerator<Uint8Array> {
    const waiting: Place[] = [{ path: ".", directory: this.#root }];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const directories = yield* this.#directory(place);
      waiting.push(...directories.toReversed());
    }
    yield END_OF_ARCHIVE;
  }

  /** Closes what it has read. */
  [Symbol.dispose](): void {
    this.#open.dispose();
  }

  /** A directory and the files in it; returns its directories, which follow. */
  async *#directory({ path, directory }: Place): AsyncGenerator<Uint8Array, readonly Place[]> {
    const { source, children, opaque } = directory;
    const copied = source?.kind === "copy" ? source : undefined;
    const found = copied === undefined ? undefined : await this.#read(path, copied);
    if (copied !== undefined && found === undefined) return [];
    // The root of a base stays as it is.
    if (path !== "." || source?.kind !== "base" || directory.mode !== undefined) {
      yield* this.#header({ ...this.#directoryAttributes(path, directory, found), size: 0 });
    }
    if (opaque) yield* this.#header(signEntry(inside(path, OPAQUE), this.#options.time));
    const own = [...children].toSorted(byName);
    for (const [name, child] of own) {
      refuseWhiteout(path, name);
      if (child.kind === "copy") yield* this.#copy(inside(path, name), child);
      else if (child.kind !== "directory") yield* this.#new(inside(path, name), child);
    }
    const others = (found?.entries ?? []).filter(({ name }) => !children.has(name))
      .toSorted((a, b) => a.name < b.name ? -1 : 1);
    for (const { name } of others) refuseWhiteout(path, name);
    const files = others.filter(({ type }) => type !== S_IFDIR);
    if (copied !== undefined) {
      for await (const file of this.#reader(copied.root).files(copied.path, files)) {
        yield* this.#copied(inside(path, file.name), file, copied);
      }
    }
    const places: [string, Place][] = [];
    for (const [name, child] of own) {
      if (child.kind !== "directory" || !child.isChanged) continue;
      places.push([name, { path: inside(path, name), directory: child }]);
    }
    for (const { name, type } of others) {
      if (type !== S_IFDIR) continue;
      places.push([name, { path: inside(path, name), directory: below(copied!, name) }]);
    }
    return places.toSorted(byName).map(([, place]) => place);
  }

  #directoryAttributes(
    path: string,
    { source, mode, owner, unpackedMode }: Place["directory"],
    found: FoundDirectory | undefined,
  ): ArchiveEntry {
    const before = found === undefined
      ? this.#inBase(path === "." ? "" : path, unpackedMode)
      : this.#attributes(path, found, source?.keepsOwners);
    return {
      ...before,
      ...owner,
      ...(mode !== undefined && { mode }),
      name: path === "." ? "./" : `${path}/`,
      kind: "directory",
      mtime: this.#options.time,
    };
  }

  /** What the layers of the base say of a file, or else its unpacked one. */
  #inBase(path: string, unpackedMode = UNNAMED.mode): BaseAttributes {
    return this.#options.base.get(path) ?? { ...UNNAMED, mode: unpackedMode };
  }

  /** Reads a directory of this machine, if that is let. */
  async #read(path: string, { root, path: from }: DirectorySource): Promise<
    FoundDirectory | undefined
  > {
    try {
      return await this.#reader(root).directory(from);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      if (error.code !== "EACCES" && error.code !== "EXDEV") throw error;
      if (from === "." && error.code === "EACCES") throw unreadable(root);
      this.#leave(
        path,
        "directory",
        error.code === "EXDEV"
          ? "another filesystem is mounted there; bind() it as well"
          : "this user may not read it",
      );
      return undefined;
    }
  }

  async *#copy(path: string, { path: from }: CopiedFile): AsyncGenerator<Uint8Array> {
    const files = [{ name: nameOf(from), type: S_IFREG }];
    for await (const file of this.#reader(parentOf(from)).files(".", files)) {
      if (file.fd === undefined) throw unreadable(from);
      yield* this.#copied(path, file, {});
    }
  }

  *#new(path: string, entry: Exclude<NewEntry, CopiedFile>): Generator<Uint8Array> {
    const { time } = this.#options;
    if (entry.kind === "file") {
      const { bytes, mode, owner, unpackedMode } = entry;
      const before = this.#inBase(path, unpackedMode);
      this.#size.add(path, bytes.length);
      yield* this.#header({
        ...before,
        ...owner,
        mode: mode ?? before.mode,
        // Contents that were written anew have no capabilities.
        xattrs: [],
        name: path,
        kind: "file",
        mtime: time,
        size: bytes.length,
      });
      yield bytes;
      yield paddingOf(bytes.length);
      return;
    }
    const mode = entry.kind === "symlink" ? 0o777 : entry.mode;
    yield* this.#header({ ...entry, mode, name: path, mtime: time });
  }

  *#copied(
    path: string,
    file: FoundFile,
    { keepsOwners }: Pick<DirectorySource, "keepsOwners">,
  ): Generator<Uint8Array> {
    const { status, target, fd } = file;
    const type = status.mode & S_IFMT;
    const kind = KINDS[type];
    if (kind === undefined || type === S_IFCHR || type === S_IFBLK) {
      return this.#leave(path, kind === undefined ? "socket" : "device", "it is this machine's");
    }
    if (type === S_IFREG && fd === undefined) {
      return this.#leave(path, "file", "this user may not read it");
    }
    const attributes = this.#attributes(path, file, keepsOwners);
    const common = { ...attributes, name: path, mtime: this.#options.time };
    const identity = `${status.dev}:${status.ino}`;
    const first = status.nlink > 1 ? this.#links.get(identity) : undefined;
    if (first !== undefined) {
      yield* this.#header({ ...common, xattrs: [], kind: "hardlink", target: first });
      return;
    }
    if (status.nlink > 1) this.#links.set(identity, path);
    const size = type === S_IFREG ? status.size : 0;
    this.#size.add(path, size);
    yield* this.#header({ ...common, kind, target, size });
    if (fd !== undefined) yield* dataOf(path, fd, size);
  }

  #attributes(
    path: string,
    { status, xattrs }: Pick<FoundFile, "status" | "xattrs">,
    keepsOwners = false,
  ): BaseAttributes {
    const { attributes, lost } = copiedAttributes(status, xattrs, keepsOwners);
    for (const { what, why } of lost) this.#leave(path, what, why);
    return attributes;
  }

  *#header(entry: ArchiveEntry): Generator<Uint8Array> {
    yield* headerOf(entry);
  }

  /** What reads the files below a directory of this machine. */
  #reader(root: string): TreeReader {
    const there = this.#readers.get(root);
    if (there !== undefined) return there;
    const directory = this.#open.use(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
    const reader = this.#open.use(
      new TreeReader(directory.number, undefined, { unreadable: true }),
    );
    this.#readers.set(root, reader);
    return reader;
  }

  #leave(path: string, what: string, why: string): void {
    this.notCopied.push({ path: path === "." ? "/" : `/${path}`, what, why });
  }
}

/** The error of a file that was asked for by its own name. */
function unreadable(path: string): ImageError {
  return new ImageError(`${path} cannot be copied: this user may not read it`, { code: "denied" });
}

/** A directory in one that is copied. */
function below(source: DirectorySource, name: string): Place["directory"] {
  const path = inside(source.path, name);
  return {
    children: new Map(),
    source: { ...source, path },
    mode: undefined,
    owner: undefined,
    unpackedMode: undefined,
    opaque: false,
    isChanged: true,
  };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
