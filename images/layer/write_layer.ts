/**
 * Writes a layer: of what an overlay filesystem keeps of a run (its upper directory), or of a whole
 * tree. The same files are the same bytes.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { createGzip } from "node:zlib";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../../ffi/calls/constants/files.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import { readSome } from "../../ffi/engine/transfer.ts";
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
import { decoded, type Decoder } from "./decoder.ts";
import { LayerError } from "./errors.ts";
import type { Owners } from "./owners.ts";
import type { EntryKind } from "./tar/entry.ts";
import { END_OF_ARCHIVE, headerOf, type NewEntry, paddingOf } from "./tar/writer.ts";

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
export interface WrittenLayer {
  /** The digest and size of the blob. */
  readonly digest: string;
  readonly size: number;
  /** The digest of the archive in it. */
  readonly diffId: string;
  /** How many files it has, with whiteouts. */
  readonly entries: number;
  /** Sockets, which no archive holds. */
  readonly leftOut: readonly string[];
}

const [PIECE, LEVEL] = [256 * 1024, 6];
const KINDS: Readonly<Record<number, EntryKind>> = {
  [S_IFREG]: "file",
  [S_IFLNK]: "symlink",
  [S_IFCHR]: "character",
  [S_IFBLK]: "block",
  [S_IFDIR]: "directory",
  [S_IFIFO]: "fifo",
};

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
  const fd = openSync(path, "wx", 0o644);
  const [blob, diff] = [createHash("sha256"), createHash("sha256")];
  let size = 0;
  try {
    const pieces = archive.pieces();
    const next = async () => {
      options.signal?.throwIfAborted();
      const { value, done } = await pieces.next();
      if (done) return undefined;
      diff.update(value);
      return value;
    };
    const gzip = createGzip({ level: LEVEL, chunkSize: PIECE });
    for await (const piece of decoded(gzip as unknown as Decoder, next)) {
      blob.update(piece);
      size += piece.length;
      for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at);
    }
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return {
    digest: `sha256:${blob.digest("hex")}`,
    size,
    diffId: `sha256:${diff.digest("hex")}`,
    entries: archive.entries,
    leftOut: archive.leftOut,
  };
}

const [WHITEOUT, OPAQUE] = [".wh.", ".wh..wh..opq"];
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
  /** The names of files that have several. */
  readonly #links = new Map<string, string>();

  constructor(tree: TreeReader, owners: Owners, options: WriteLayerOptions) {
    this.#tree = tree;
    this.#owners = owners;
    this.#options = options;
    this.#excluded = new Set(options.exclude?.map((path) => path.replace(/^\/+|\/+$/g, "")));
  }

  #bytes = 0;

  /** How many files it has so far. */
  get entries(): number {
    return this.#entries;
  }

  /** Its bytes, in pieces that are worth a call each. */
  async *pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    let piece = new Uint8Array(PIECE);
    let filled = 0;
    for await (const bytes of this.#parts()) {
      for (let at = 0; at < bytes.length;) {
        const taken = Math.min(PIECE - filled, bytes.length - at);
        piece.set(bytes.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
        if (filled === PIECE) {
          yield piece;
          piece = new Uint8Array(PIECE);
          filled = 0;
        }
      }
    }
    yield piece.subarray(0, filled);
  }

  async *#parts(): AsyncGenerator<Uint8Array> {
    yield* this.#directory(".");
    yield END_OF_ARCHIVE;
  }

  /** A directory, then the files in it, and then its directories. */
  async *#directory(path: string): AsyncGenerator<Uint8Array> {
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
    for (const { name } of entries.filter(isDirectory)) {
      refuseWhiteout(path, name);
      yield* this.#directory(inside(path, name));
    }
  }

  *#directoryEntry(path: string, { status, mtime, xattrs }: FoundDirectory): Generator<Uint8Array> {
    const opaque = this.#overlayXattrs(path, xattrs);
    const name = path === "." ? "./" : `${path}/`;
    yield* this.#entry({
      name,
      kind: "directory",
      ...this.#attributes(status, mtime, xattrs),
    });
    if (opaque) yield* this.#empty(`${path === "." ? "" : name}${OPAQUE}`, mtime);
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
      yield* this.#empty(inside(directory, WHITEOUT + file.name), mtime);
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
    this.#bytes += size;
    if (this.#bytes > (this.#options.maxBytes ?? Infinity)) {
      throw new LayerError(`${JSON.stringify(path)} makes the layer larger than it may be`, {
        code: "too-large",
        advice: ["remove it, or allow more: maxBytes, or --max-size"],
      });
    }
    const [major, minor] = deviceOf(status.rdev);
    yield* this.#entry({ ...attributes, name: path, kind, target, size, major, minor });
    if (file.fd !== undefined) yield* dataOf(path, file.fd, size);
  }

  *#entry(entry: NewEntry): Generator<Uint8Array> {
    this.#entries++;
    yield* headerOf(entry);
  }

  /** A file that is a sign: of a whiteout, or of an opaque directory. */
  #empty(name: string, mtime: number): Generator<Uint8Array> {
    const attributes = { mode: 0o600, uid: 0, gid: 0, mtime: this.#time(mtime) };
    return this.#entry({ ...attributes, name, kind: "file" });
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

function* dataOf(path: string, fd: number, size: number): Generator<Uint8Array> {
  for (let at = 0; at < size;) {
    const piece = readSome(fd) ?? new Uint8Array();
    if (piece.length === 0) {
      throw new LayerError(`${JSON.stringify(path)} became shorter while it was read`, {
        code: "invalid",
      });
    }
    // What was added meanwhile has no room behind the header.
    yield piece.subarray(0, size - at);
    at += piece.length;
  }
  yield paddingOf(size);
}

function refuseWhiteout(directory: string, name: string): void {
  if (!name.startsWith(WHITEOUT)) return;
  throw new LayerError(
    `${
      JSON.stringify(inside(directory, name))
    } would be taken for a whiteout; no layer can hold it`,
    { code: "unsupported", advice: ["rename or remove it"] },
  );
}

function inside(directory: string, name: string): string {
  return directory === "." ? name : `${directory}/${name}`;
}

/** The numbers of a device, as makedev() puts them together. */
function deviceOf(device: number): readonly [major: number, minor: number] {
  return [device >>> 8 & 0xfff, device & 0xff | device >>> 12 & 0xfff00];
}
