/**
 * Unpacks the layers of an image, one over the other, into one directory: what a layer says of the
 * root is applied to what the layers below it have made. See the image specification, "Layer".
 *
 * @module
 */

import { S_IFBLK, S_IFCHR, S_IFIFO } from "../../ffi/calls/constants/files.ts";
import { makedev } from "../../ffi/calls/files.ts";
import type { Disk } from "./disk.ts";
import type { Place } from "./file_batch.ts";
import { FileReading } from "./file_reading.ts";
import { ArchiveError } from "./errors.ts";
import { areWhole } from "./memory.ts";
import { type Owners, type PlacedAttributes, placeOwners } from "./owners.ts";
import type { Xattr } from "../../ffi/files/overlay_notes.ts";
import type { Attributes, EntryKind, TarEntry } from "./tar/entry.ts";
import type { TarSink } from "./tar/reader.ts";
import { deepestFirst, LONGEST, partsOf, Tree, type TreeNode } from "./tree.ts";

/** Something that could not be unpacked as the archive says. */
export type Leave = (path: string, what: string, why: string) => void;

/** What the work of unpacking has to obey. */
export interface UnpackRules {
  readonly owners: Owners;
  /** Whether devices can be made. */
  readonly devices: boolean;
  /** The most files that there may be, with directories that no archive names. */
  readonly maxEntries: number;
}

/** The most bytes of an attribute (XATTR_SIZE_MAX), and of all those of a file. */
const [MOST_OF_XATTR, MOST_OF_XATTRS] = [1 << 16, 1 << 18];
/** How often hard links that wait for each other are tried. */
const MOST_ROUNDS = 40;

const [WHITEOUT, OPAQUE, METADATA] = [".wh.", ".wh..wh..opq", ".wh..wh."];
/** Attributes by which an overlay filesystem would take the files of an image for its own. */
const OVERLAY = /^(trusted|user)\.overlay\./;

/** A hard link whose target was not there yet. */
interface WaitingLink {
  readonly entry: TarEntry;
  readonly parent: TreeNode;
  readonly name: string;
}

/** Takes the files of archives, and makes them with {@linkcode Disk}. */
export class Unpacker implements TarSink {
  readonly #disk: Disk;
  readonly #rules: UnpackRules;
  readonly #leave: Leave;
  readonly #tree = new Tree();
  /** What is to be done on the disk, in this order. */
  #queue: (() => Promise<void>)[] = [];
  #reading: FileReading | undefined;
  #links: WaitingLink[] = [];
  #entries = 0;
  #files = 0;

  /** An unpacker of one image, into an empty directory. */
  constructor(disk: Disk, rules: UnpackRules, leave: Leave) {
    this.#disk = disk;
    this.#rules = rules;
    this.#leave = leave;
  }

  /** How many entries the archives have had so far. */
  get entries(): number {
    return this.#entries;
  }

  /** Begins a layer. The first is 1. */
  beginLayer(number: number): void {
    this.#tree.layer = number;
  }

  /** Takes an entry of the archive; what it takes on the disk is done by {@linkcode work}. */
  entry(entry: TarEntry): void {
    this.#entries++;
    this.#count();
    for (const what of entry.unread) this.#leave(entry.name, what, "access lists are not set");
    const parts = partsOf(entry.name);
    const name = parts.at(-1);
    if (name === undefined) return this.#takeRoot(entry);
    if (name.startsWith(WHITEOUT)) return this.#takeWhiteout(parts, entry);
    if (entry.kind === "hardlink") return this.#takeHardLink(entry, parts);
    this.#take(entry, parts);
  }

  /** Takes data of the file that has begun. */
  data(bytes: Uint8Array): void {
    this.#reading?.push(bytes);
  }

  /** Ends the file. */
  end(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    this.#reading = undefined;
    const { entry, path } = reading;
    reading.finish(this.#placed(entry, path), this.#reporter(path));
  }

  /** Does what was taken so far. */
  async work(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    for (const job of queue) await job();
  }

  /**
   * Gives the memory of a piece back, which the reader of the archive and {@linkcode work} are done with.
   */
  release(piece: Uint8Array<ArrayBuffer>): void {
    if (!areWhole(piece)) return;
    this.#reading?.own();
    this.#disk.release(piece);
  }

  /**
   * Ends a layer: what waits for a target is linked.
   *
   * @throws {ArchiveError} if there is none
   */
  async endLayer(): Promise<void> {
    // A link may be the target of another one.
    for (let round = 0; this.#links.length > 0 && round < MOST_ROUNDS; round++) {
      this.#links = this.#links.filter((link) => !this.#tryLink(link));
    }
    const lost = this.#links[0];
    if (lost !== undefined) {
      const { name, target } = lost.entry;
      throw new ArchiveError(
        `${JSON.stringify(name)} is a hard link to ${JSON.stringify(target)}, which neither this ` +
          "layer nor one below it has",
      );
    }
    await this.work();
  }

  /** Gives the directories their attributes, which what is made in them would change. */
  async finish(): Promise<void> {
    for (const node of deepestFirst(this.#tree.root)) {
      if (node.kind !== "directory") continue;
      const { path } = node;
      const attributes = this.#placed(node.attributes, path);
      await this.#disk.finishDirectory(path, attributes, this.#reporter(path));
    }
    await this.#disk.flush();
  }

  #takeRoot(entry: TarEntry): void {
    if (entry.kind !== "directory") {
      throw new ArchiveError(`${JSON.stringify(entry.name)} is the root, and no directory`);
    }
    this.#tree.root.attributes = entry;
    this.#tree.touch(this.#tree.root);
  }

  /** A file hides one of the same name that lower layers have, and one that came before. */
  #take(entry: TarEntry, parts: readonly string[]): void {
    if (entry.target.length > LONGEST) {
      throw new ArchiveError(
        `${JSON.stringify(entry.name)} is a link that is longer than any path`,
      );
    }
    const parent = this.#makeDirectories(parts.slice(0, -1));
    const name = parts.at(-1)!;
    const there = parent.children!.get(name);
    if (entry.kind === "directory" && there?.kind === "directory") {
      there.attributes = entry;
      this.#tree.touch(there);
      return;
    }
    if (there !== undefined) this.#remove(there);
    const node = this.#tree.add(nodeKind(entry.kind), name, parent, entry.target);
    this.#make(entry, node);
  }

  #make(entry: TarEntry, node: TreeNode): void {
    const place = placeOf(node);
    if (entry.kind === "directory") {
      node.attributes = entry;
      this.#do(() => this.#disk.makeDirectory(place));
      return;
    }
    if (entry.kind === "file") {
      this.#reading = new FileReading(entry, place, node.path, this.#disk, (job) => this.#do(job));
      return;
    }
    const path = node.path;
    const attributes = this.#placed(entry, path);
    if (entry.kind === "symlink") {
      this.#do(() => this.#disk.makeLink(place, entry.target, attributes));
    } else this.#makeNode(entry, node, place, attributes);
    this.#setLinkXattrs(node, place, attributes.xattrs);
  }

  /** Sets attributes of a link, a device or a pipe: those that the kernel lets such a file have. */
  #setLinkXattrs(node: TreeNode, place: Place, all: readonly Xattr[]): void {
    const { path } = node;
    const why = ({ name }: Xattr) =>
      name.startsWith("user.")
        ? "only files and directories have attributes of users"
        : this.#rules.owners.kind === "real"
        ? undefined
        : "only root outside of user namespaces sets it on such a file";
    for (const xattr of all) {
      const issue = why(xattr);
      if (issue !== undefined) this.#leave(path, `attribute ${xattr.name}`, issue);
    }
    const xattrs = all.filter((xattr) => why(xattr) === undefined);
    if (xattrs.length === 0) return;
    this.#do(async () => {
      // A device that could not be made is known to be missing once this is done.
      await this.#disk.flush();
      if (!node.absent) await this.#disk.setLinkXattrs(place, xattrs, this.#reporter(path));
    });
  }

  #makeNode(entry: TarEntry, node: TreeNode, place: Place, attributes: PlacedAttributes): void {
    const { kind, major, minor } = entry;
    const why = this.#whyNoDevice(entry);
    if (kind !== "fifo" && why !== undefined) {
      node.absent = true;
      this.#leave(node.path, `${kind} device ${major}:${minor}`, why);
      return;
    }
    const mode = kind === "fifo" ? S_IFIFO : kind === "block" ? S_IFBLK : S_IFCHR;
    const device = kind === "fifo" ? 0 : makedev(major, minor);
    const report = this.#reporter(node.path);
    this.#do(() =>
      this.#disk.makeNode(place, mode | 0o600, device, attributes, (what, why) => {
        node.absent = true;
        report(what, why);
      })
    );
  }

  #whyNoDevice({ kind, major, minor }: TarEntry): string | undefined {
    if (kind === "character" && major === 0 && minor === 0) {
      return "an overlay filesystem takes it for a whiteout";
    }
    return this.#rules.devices ? undefined : "only root outside of user namespaces makes devices";
  }

  #takeHardLink(entry: TarEntry, parts: readonly string[]): void {
    const parent = this.#makeDirectories(parts.slice(0, -1));
    const name = parts.at(-1)!;
    const there = parent.children!.get(name);
    // A link to itself changes nothing.
    if (there !== undefined && there === this.#tree.find(partsOf(entry.target))) {
      this.#tree.touch(there);
      return;
    }
    if (there !== undefined) this.#remove(there);
    const link = { entry, parent, name };
    if (!this.#tryLink(link)) this.#links.push(link);
  }

  /** Makes a hard link, if its target is there; nothing where a later file has taken its place. */
  #tryLink({ entry, parent, name }: WaitingLink): boolean {
    if (!parent.isThere || parent.children!.has(name)) return true;
    const source = this.#tree.find(partsOf(entry.target));
    if (source === undefined) return false;
    if (source.kind === "directory") {
      throw new ArchiveError(`${JSON.stringify(entry.name)} is a hard link to a directory`);
    }
    const node = this.#tree.add(source.kind, name, parent, source.target);
    node.absent = source.absent;
    if (source.absent) {
      this.#leave(node.path, "hard link", "its target was left out");
      return true;
    }
    const [place, target] = [placeOf(node), placeOf(source)];
    this.#do(() => this.#disk.linkFile(place, target));
    return true;
  }

  /** A whiteout hides what lower layers have, and nothing of its own layer, wherever it stands there. */
  #takeWhiteout(parts: readonly string[], entry: TarEntry): void {
    const base = parts.at(-1)!;
    const name = base.slice(WHITEOUT.length);
    // The filesystem aufs had more such names, for its own use.
    if (base !== OPAQUE && base.startsWith(METADATA)) return;
    if (name === "" || name === "." || name === "..") {
      this.#leave(entry.name, "whiteout", "it names no file");
      return;
    }
    const directory = this.#tree.findDirectory(parts.slice(0, -1));
    const found = base === OPAQUE ? directory : directory?.children?.get(name);
    if (found === undefined) return;
    for (const node of [...this.#tree.hidden(found, base !== OPAQUE)]) this.#remove(node);
  }

  /** The directory of a file, with those that no layer has named. */
  #makeDirectories(parts: readonly string[]): TreeNode {
    const { directory, missing, blocked } = this.#tree.lookUp(parts);
    if (blocked !== undefined) {
      throw new ArchiveError(
        `${JSON.stringify(parts.join("/"))} cannot be a directory: ${blocked}`,
      );
    }
    let node = directory;
    for (const name of missing) {
      node = this.#tree.add("directory", name, node);
      this.#count();
      const place = placeOf(node);
      this.#do(() => this.#disk.makeDirectory(place));
    }
    return node;
  }

  #remove(node: TreeNode): void {
    for (const each of deepestFirst(node)) {
      if (each.absent) continue;
      const place = placeOf(each);
      this.#do(() => this.#disk.remove(place, each.kind === "directory"));
    }
    this.#tree.take(node);
  }

  #count(): void {
    if (++this.#files <= this.#rules.maxEntries) return;
    throw new ArchiveError(`it has more than ${this.#rules.maxEntries} files, with those below it`);
  }

  #placed(attributes: Attributes, path: string): PlacedAttributes {
    const placed = placeOwners(attributes, this.#rules.owners);
    for (const { what, why } of placed.changes) this.#leave(path, what, why);
    let size = 0;
    const xattrs = placed.xattrs.filter((xattr) => {
      const why = whyNoXattr(xattr, size);
      if (why !== undefined) this.#leave(path, `attribute ${xattr.name}`, why);
      else size += xattr.value.length;
      return why === undefined;
    });
    return { ...placed, xattrs };
  }

  #reporter(path: string): (what: string, why: string) => void {
    return (what, why) => this.#leave(path, what, why);
  }

  #do(job: () => Promise<void>): void {
    this.#queue.push(job);
  }
}

/** Why an attribute is left out of those that have this size already; `undefined` if it is not. */
function whyNoXattr({ name, value }: Xattr, size: number): string | undefined {
  if (OVERLAY.test(name)) return "an overlay filesystem takes it for its own";
  const fits = value.length <= MOST_OF_XATTR && size + value.length <= MOST_OF_XATTRS;
  return fits ? undefined : "it is larger than the kernel takes";
}

function placeOf(node: TreeNode): Place {
  return { directory: node.parent!.path, name: node.name };
}

function nodeKind(kind: EntryKind): "directory" | "symlink" | "other" {
  return kind === "directory" || kind === "symlink" ? kind : "other";
}
