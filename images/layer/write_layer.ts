/**
 * Writes a layer: of what an overlay filesystem keeps of a run (its upper directory), or of a whole
 * tree. The same files are the same bytes.
 *
 * @module
 */

import { S_IFDIR, S_IFMT } from "../../ffi/calls/constants/files.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import {
  isOverlayNote,
  isWhiteout,
  overlayNotes,
  type Xattr,
} from "../../ffi/files/overlay_notes.ts";
import { type FoundDirectory, type FoundFile, TreeReader } from "../../ffi/files/read_tree.ts";
import type { Statx } from "../../ffi/calls/statx.ts";
import { open } from "../../ffi/linux/files.ts";
import { geteuid } from "../../ffi/linux/users.ts";
import { LayerError } from "./errors.ts";
import {
  dataOf,
  deviceOf,
  inside,
  KINDS,
  LayerSize,
  OPAQUE,
  refuseWhiteout,
  signEntry,
  WHITEOUT,
} from "./layer_entries.ts";
import { writeLayerFile, type WrittenBlob } from "./layer_file.ts";
import type { Owners } from "./owners.ts";
import { END_OF_ARCHIVE, headerOf, type NewEntry } from "./tar/writer.ts";

/** How a layer is written. */
export interface WriteLayerOptions {
  /** The latest time that a file gets, in seconds: of SOURCE_DATE_EPOCH. */
  readonly epoch?: number;
  /** Whose the files are, as for unpacking: by default whoever owns them for root, else the caller. */
  readonly owners?: Owners;
  /**
   * Whether the directory is a whole tree, the root of which is in the layer too; by default it is
   * the upper directory of an overlay filesystem.
   */
  readonly whole?: boolean;
  /** Paths that are left out, with all that lies in them: `etc/hosts`. */
  readonly exclude?: readonly string[];
  /** The most bytes that all files may have together, holes too; by default there is no bound. */
  readonly maxBytes?: number;
  /** Ends the work; nothing is left. */
  readonly signal?: AbortSignal;
}

/** A layer that was written. */
export interface WrittenLayer extends WrittenBlob {
  /** How many files it has, with whiteouts. */
  readonly entries: number;
  /** Sockets, which no archive holds. */
  readonly leftOut: readonly string[];
}

/**
 * Writes a layer to a new file, compressed with gzip.
 *
 * @param directory the upper directory of an overlay filesystem that is not mounted, or a tree
 * @param path the blob's new file
 * @throws {LayerError} if the directory has what no layer can say
 * @throws {SyscallError} if a file cannot be read
 */
export async function writeLayer(
  directory: string,
  path: string,
  options: WriteLayerOptions = {},
): Promise<WrittenLayer> {
  const owners = options.owners ?? { kind: geteuid() === 0 ? "real" : "one" };
  using root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  using tree = new TreeReader(root.number, owners.kind === "mapped" ? owners.namespace : undefined);
  const archive = new LayerArchive(tree, owners, options);
  const blob = await writeLayerFile(path, archive.parts(), options.signal);
  return { ...blob, entries: archive.entries, leftOut: archive.leftOut };
}

/** Attributes that belong to the machine, and not to the file. */
const OF_MACHINE = /^security\.(?!capability$)/;

/** The archive of a layer. */
class LayerArchive {
  readonly leftOut: string[] = [];
  #entries = 0;
  readonly #tree: TreeReader;
  readonly #owners: Owners;
  readonly #options: WriteLayerOptions;
  readonly #excluded: ReadonlySet<string>;
  readonly #size: LayerSize;
  /** The names of files that have several. */
  readonly #links = new Map<string, string>();

  constructor(tree: TreeReader, owners: Owners, options: WriteLayerOptions) {
    this.#tree = tree;
    this.#owners = owners;
    this.#options = options;
    this.#size = new LayerSize(options.maxBytes);
    this.#excluded = new Set(options.exclude?.map((path) => path.replace(/^\/+|\/+$/g, "")));
  }

  /** How many files it has so far. */
  get entries(): number {
    return this.#entries;
  }

  /** Its bytes. */
  async *parts(): AsyncGenerator<Uint8Array> {
    // Directories wait in a list: a generator for each would hand on all bytes of those within it.
    const waiting = ["."];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const directories = yield* this.#directory(path);
      waiting.push(...directories.toReversed());
    }
    yield END_OF_ARCHIVE;
  }

  /** A directory, and then the files in it; returns its directories, which follow. */
  async *#directory(path: string): AsyncGenerator<Uint8Array, readonly string[]> {
    const directory = await this.#tree.directory(path);
    if (path !== "." || this.#options.whole) yield* this.#directoryEntry(path, directory);
    const entries = directory.entries
      .filter(({ name }) => !this.#excluded.has(inside(path, name)))
      .toSorted((a, b) => a.name < b.name ? -1 : 1);
    const isDirectory = ({ type }: { readonly type: number }) => type === S_IFDIR;
    for await (
      const file of this.#tree.files(path, entries.filter((entry) => !isDirectory(entry)))
    ) {
      yield* this.#file(path, file);
    }
    return entries.filter(isDirectory).map(({ name }) => {
      refuseWhiteout(path, name);
      return inside(path, name);
    });
  }

  *#directoryEntry(path: string, { status, mtime, xattrs }: FoundDirectory): Generator<Uint8Array> {
    const opaque = this.#overlayXattrs(path, xattrs);
    const name = path === "." ? "./" : `${path}/`;
    yield* this.#entry({
      name,
      kind: "directory",
      ...this.#attributes(status, mtime, xattrs),
    });
    if (opaque) yield* this.#sign(`${path === "." ? "" : name}${OPAQUE}`, mtime);
  }

  *#file(directory: string, file: FoundFile): Generator<Uint8Array> {
    const { status, mtime, target } = file;
    const path = inside(directory, file.name);
    refuseWhiteout(directory, file.name);
    const kind = KINDS[status.mode & S_IFMT];
    if (kind === undefined) {
      this.leftOut.push(path);
      return;
    }
    if (isWhiteout(status) && !this.#options.whole) {
      yield* this.#sign(inside(directory, WHITEOUT + file.name), mtime);
      return;
    }
    this.#overlayXattrs(path, file.xattrs);
    const attributes = this.#attributes(status, mtime, file.xattrs);
    const identity = `${status.dev}:${status.ino}`;
    const first = status.nlink > 1 ? this.#links.get(identity) : undefined;
    if (first !== undefined) {
      yield* this.#entry({
        ...attributes,
        xattrs: [],
        name: path,
        kind: "hardlink",
        target: first,
      });
      return;
    }
    if (status.nlink > 1) this.#links.set(identity, path);
    const size = kind === "file" ? status.size : 0;
    this.#size.add(path, size);
    const [major, minor] = deviceOf(status.rdev);
    yield* this.#entry({ ...attributes, name: path, kind, target, size, major, minor });
    if (file.fd !== undefined) yield* dataOf(path, file.fd, size);
  }

  *#entry(entry: NewEntry): Generator<Uint8Array> {
    this.#entries++;
    yield* headerOf(entry);
  }

  #sign(name: string, mtime: number): Generator<Uint8Array> {
    return this.#entry(signEntry(name, this.#time(mtime)));
  }

  #attributes(status: Statx, mtime: number, xattrs: readonly Xattr[]) {
    const all = this.#owners.kind === "one";
    return {
      mode: status.mode & 0o7777,
      uid: all ? 0 : status.uid,
      gid: all ? 0 : status.gid,
      mtime: this.#time(mtime),
      xattrs: xattrs.filter(({ name }) => !isOverlayNote(name) && !OF_MACHINE.test(name))
        .toSorted((a, b) => a.name < b.name ? -1 : 1),
    };
  }

  #time(mtime: number): number {
    const { epoch } = this.#options;
    return epoch === undefined ? mtime : Math.min(mtime, epoch);
  }

  /** Whether a directory is opaque; refuses what refers to lower layers. */
  #overlayXattrs(path: string, xattrs: readonly Xattr[]): boolean {
    const { opaque, elsewhere } = overlayNotes(xattrs);
    if (elsewhere !== undefined) {
      throw new LayerError(
        `${
          JSON.stringify(path)
        } has the attribute ${elsewhere}: an overlay filesystem keeps a part ` +
          "of the file elsewhere, which a layer cannot say",
        {
          code: "unsupported",
          advice: ["mount it with redirect_dir=off and metacopy=off"],
        },
      );
    }
    return opaque && !this.#options.whole;
  }
}
