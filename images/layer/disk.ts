/**
 * Files made on the disk, many by one run of the engine: while a batch runs on a thread of the pool,
 * the next one is written.
 *
 * No call takes a path with a link on it: a directory is opened beneath the root, without links
 * (openat2(2)), and what is made in it is new (`O_EXCL`, or as mkdirat(2) and its like are).
 *
 * @module
 */

import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from "../../ffi/calls/constants/at.ts";
import { O_PATH, O_RDONLY } from "../../ffi/calls/constants/open.ts";
import { closeNow, FileBatch, MEMORY, type Piece, type Place, type Report } from "./file_batch.ts";
import type { PlacedAttributes } from "./owners.ts";
import type { Xattr } from "../../ffi/files/overlay_notes.ts";

/** How many bytes of files a batch writes at most before it runs. */
const MOST_BYTES = 1 << 20;
/** What a call, and what it points to beside names, may take of the memory. */
const CALL = 88 + 16;

/** A file that is open, for more data than one batch has. */
export interface OpenFile {
  readonly place: Place;
  readonly fd: number;
}

/** Makes files beneath a directory. */
export class Disk implements AsyncDisposable {
  /** Files that more than one batch writes to. */
  readonly #openFiles = new Set<number>();
  #batch: FileBatch;
  #other: FileBatch;
  /** The batch that runs. */
  #running: Promise<void> | undefined;

  /**
   * @param root the descriptor of the directory
   * @param namespace that of the user namespace in which the files are made
   */
  constructor(root: number, namespace?: number) {
    this.#batch = new FileBatch(root, namespace, this.#openFiles);
    this.#other = new FileBatch(root, namespace, this.#openFiles);
  }

  /** Makes a directory, which only its owner may enter until {@linkcode finishDirectory}. */
  async makeDirectory(place: Place): Promise<void> {
    const batch = await this.#for(place, 1);
    batch.calls.add("mkdirat", [batch.directory(place), batch.calls.name(place.name), 0o700]);
  }

  /** Makes a file of pieces that are all there. */
  async makeFile(
    place: Place,
    attributes: PlacedAttributes,
    content: { readonly pieces: readonly Piece[]; readonly size: number },
    report: Report,
  ): Promise<void> {
    const { pieces, size } = content;
    const calls = 6 + pieces.length + attributes.xattrs.length;
    const batch = await this.#for(place, calls, xattrBytes(attributes.xattrs));
    const fd = batch.createFile(place);
    for (const piece of pieces) batch.write(fd, piece);
    batch.finishFile(fd, attributes, size, endOf(pieces), report);
    if (batch.bytes >= MOST_BYTES) await this.submit();
  }

  /** Makes a file that is written piece by piece. */
  async openFile(place: Place): Promise<OpenFile> {
    const batch = await this.#for(place, 1);
    const { index } = batch.createFile(place);
    const { calls } = batch;
    await this.flush();
    const fd = calls.result(index)!;
    this.#openFiles.add(fd);
    return { place, fd };
  }

  /** Writes a piece of an open file. */
  async writeFile(file: OpenFile, piece: Piece): Promise<void> {
    const batch = await this.#for(file.place, 1);
    batch.write(file.fd, piece);
    if (batch.bytes >= MOST_BYTES) await this.submit();
  }

  /** Gives an open file its attributes, and closes it. */
  async closeFile(
    file: OpenFile,
    attributes: PlacedAttributes,
    size: { readonly written: number; readonly size: number },
    report: Report,
  ): Promise<void> {
    const { xattrs } = attributes;
    const batch = await this.#for(file.place, 5 + xattrs.length, xattrBytes(xattrs));
    batch.finishFile(file.fd, attributes, size.size, size.written, report);
  }

  /** Makes a symbolic link. */
  async makeLink(place: Place, target: string, attributes: PlacedAttributes): Promise<void> {
    const batch = await this.#for(place, 3, target.length * 3);
    const { calls } = batch;
    const directory = batch.directory(place);
    const name = calls.name(place.name);
    calls.add("symlinkat", [calls.name(target), directory, name]);
    batch.setLink(directory, name, attributes);
  }

  /** Makes a device or a named pipe. Where it may not be made, that is reported. */
  async makeNode(
    place: Place,
    mode: number,
    device: number,
    attributes: PlacedAttributes,
    report: Report,
  ): Promise<void> {
    const batch = await this.#for(place, 4);
    const { calls } = batch;
    const directory = batch.directory(place);
    const name = calls.name(place.name);
    const skip = attributes.owned ? 3 : 2;
    const made = calls.add("mknodat", [directory, name, mode, device], { accept: ["EPERM"], skip });
    batch.reportErrno(made, (errno) => report("device", `mknod(2) failed: ${errno}`));
    if (attributes.owned) {
      const { uid, gid } = attributes;
      calls.add("fchownat", [directory, name, uid, gid, AT_SYMLINK_NOFOLLOW]);
    }
    calls.add("fchmodat", [directory, name, attributes.mode]);
    calls.add("utimensat", [directory, name, batch.times(attributes.mtime), AT_SYMLINK_NOFOLLOW]);
  }

  /** Sets attributes of a link or a device that is there. */
  async setLinkXattrs(place: Place, xattrs: readonly Xattr[], report: Report): Promise<void> {
    const opening = await this.#for(place, 1);
    const { index } = opening.open(place.directory, O_PATH);
    const { calls } = opening;
    await this.flush();
    const directory = calls.result(index)!;
    this.#openFiles.add(directory);
    const batch = await this.#for(place, 1 + xattrs.length, xattrBytes(xattrs) + 32);
    batch.setLinkXattrs(directory, place.name, xattrs, report);
  }

  /** Makes a hard link. */
  async linkFile(place: Place, target: Place): Promise<void> {
    const batch = await this.#for(place, 4, target.name.length * 3 + target.directory.length * 3);
    const { calls } = batch;
    const to = batch.directory(place);
    const same = target.directory === place.directory;
    const from = same ? to : batch.open(target.directory, O_PATH);
    calls.add("linkat", [from, calls.name(target.name), to, calls.name(place.name), 0]);
    if (!same) batch.close(from);
  }

  /** Removes a file, or an empty directory, if it is there. */
  async remove(place: Place, isDirectory: boolean): Promise<void> {
    const batch = await this.#for(place, 1);
    const { calls } = batch;
    const flags = isDirectory ? AT_REMOVEDIR : 0;
    // The batch may have the directory open, which is no matter to the kernel.
    calls.add("unlinkat", [batch.directory(place), calls.name(place.name), flags], {
      accept: ["ENOENT"],
    });
  }

  /** Gives a directory its attributes; nothing is made in it afterwards. */
  async finishDirectory(path: string, attributes: PlacedAttributes, report: Report): Promise<void> {
    const { xattrs } = attributes;
    const place = { directory: path, name: "" };
    const batch = await this.#for(place, 6 + xattrs.length, xattrBytes(xattrs));
    const fd = batch.open(path, O_RDONLY);
    batch.setAttributes(fd, attributes, report);
    batch.close(fd);
  }

  /** Gives the memory of a piece back, once what was taken of it is written. */
  release(piece: Uint8Array<ArrayBuffer>): void {
    this.#batch.release(piece);
  }

  /** Runs the batch that is written, once the one before it is done. */
  async submit(): Promise<void> {
    const before = this.#running;
    this.#running = undefined;
    await before;
    const batch = this.#batch;
    if (batch.calls.isEmpty) return;
    this.#other.reset();
    this.#batch = this.#other;
    this.#other = batch;
    const running = batch.run();
    // Who submits or flushes next gets the error.
    running.catch(() => {});
    this.#running = running;
  }

  /** Resolves once all that was asked for is done. */
  async flush(): Promise<void> {
    await this.submit();
    await this.#running;
  }

  /** Frees the memory, once nothing runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.catch(() => {});
    for (const fd of this.#openFiles) closeNow(fd);
    this.#batch[Symbol.dispose]();
    this.#other[Symbol.dispose]();
  }

  /** The batch, with room for these calls about a file. */
  async #for(place: Place, calls: number, bytes = 0): Promise<FileBatch> {
    // A call more opens the directory, and one closes that before it.
    const names = (place.directory.length + place.name.length) * 3;
    const needed = (calls + 4) * CALL + names + bytes + 128;
    if (needed > MEMORY / 2) throw new RangeError("the attributes of a file take too much memory");
    if (this.#batch.calls.room < needed) await this.submit();
    this.#batch.about(place);
    return this.#batch;
  }
}

function endOf(pieces: readonly Piece[]): number {
  const last = pieces.at(-1);
  return last === undefined ? 0 : last.offset + last.bytes.length;
}

function xattrBytes(xattrs: readonly Xattr[]): number {
  return xattrs.reduce((sum, { name, value }) => sum + name.length * 3 + value.length + 32, 0);
}
