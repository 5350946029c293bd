/**
 * Files made on the disk, many by one run of the engine: while a batch runs on a thread of the pool,
 * the next one is written.
 *
 * No call takes a path with a link on it: a directory is opened beneath the root, without links
 * (openat2(2)), and what is made in it is new (`O_EXCL`, or as mkdirat(2) and its like are).
 *
 * @module
 */

import type { ErrnoName } from "../../ffi/errno.ts";
import { ERRNO, errnoName } from "../../ffi/errno.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from "../../ffi/calls/constants/at.ts";
import {
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
} from "../../ffi/calls/constants/open.ts";
import { close } from "../../ffi/calls/files.ts";
import { BatchResult, CallBatch } from "../../ffi/call_batch.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { openBeneath } from "./beneath.ts";
import type { PlacedAttributes } from "./owners.ts";
import type { Time, Xattr } from "./tar/entry.ts";

/** The memory of a batch, and how many bytes of files it writes at most before it runs. */
const [MEMORY, MOST_BYTES] = [1 << 20, 1 << 20];
/** A call, and what a path may take of the memory. */
const CALL = 88;
const LONG = 0x7fff_f000;

/** A piece of a file, and where it lies. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A file by its directory's path and its name. */
export interface Place {
  readonly directory: string;
  readonly name: string;
}

/** What is reported of a call whose failure was accepted. */
export type Report = (what: string, why: string) => void;

/** A file that is open, for more data than one batch has. */
export interface OpenFile {
  readonly place: Place;
  readonly fd: number;
}

/** Makes files beneath a directory. */
export class Disk implements AsyncDisposable {
  /** Files that more than one batch writes to. */
  readonly #openFiles = new Set<number>();
  #batch: PendingBatch;
  #other: PendingBatch;
  /** The batch that runs. */
  #running: Promise<void> | undefined;

  /**
   * @param root the descriptor of the directory
   * @param namespace that of the user namespace in which the files are made
   */
  constructor(root: number, namespace?: number) {
    this.#batch = new PendingBatch(root, namespace, this.#openFiles);
    this.#other = new PendingBatch(root, namespace, this.#openFiles);
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
  async #for(place: Place, calls: number, bytes = 0): Promise<PendingBatch> {
    // A call more opens the directory, and one closes that before it.
    const names = (place.directory.length + place.name.length) * 3;
    const needed = (calls + 4) * (CALL + 16) + names + bytes + 128;
    if (needed > MEMORY / 2) throw new RangeError("the attributes of a file take too much memory");
    if (this.#batch.calls.room < needed) await this.submit();
    this.#batch.about(place);
    return this.#batch;
  }
}

/** A batch that is written, with what has to be looked at once it has run. */
class PendingBatch implements Disposable {
  readonly calls: CallBatch;
  readonly #root: number;
  /** How many bytes of files it writes. */
  bytes = 0;
  #directory: { readonly path: string; readonly fd: BatchResult } | undefined;
  /** Which file the calls are about, from which call on. */
  #places: { readonly from: number; readonly place: Place }[] = [];
  #writes: { readonly index: number; readonly length: number }[] = [];
  #reports: { readonly index: number; readonly report: (errno: string) => void }[] = [];
  #opened: { readonly open: number; close: number | undefined }[] = [];
  /** Files that were opened by an earlier batch, and all of those. */
  #closing: { readonly fd: number; readonly close: number }[] = [];

  readonly #openFiles: Set<number>;

  constructor(root: number, namespace: number | undefined, openFiles: Set<number>) {
    this.#root = root;
    this.#openFiles = openFiles;
    this.calls = new CallBatch(engine(), MEMORY, namespace);
  }

  /** The calls that follow are about this file. */
  about(place: Place): void {
    this.#places.push({ from: this.calls.next, place });
  }

  /** The directory of a file, opened. */
  directory({ directory: path }: Place): BatchResult {
    if (this.#directory?.path === path) return this.#directory.fd;
    if (this.#directory !== undefined) this.close(this.#directory.fd);
    const fd = this.open(path, O_PATH);
    this.#directory = { path, fd };
    return fd;
  }

  /** Opens a directory beneath the root. */
  open(path: string, mode: number): BatchResult {
    return this.#openedBy(openBeneath(this.calls, this.#root, path, mode));
  }

  createFile(place: Place): BatchResult {
    const { calls } = this;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const args = [this.directory(place), calls.name(place.name), flags, 0o600];
    return this.#openedBy(calls.add("openat", args));
  }

  write(fd: BatchResult | number, { offset, bytes }: Piece): void {
    for (let at = 0; at < bytes.length; at += LONG) {
      const part = bytes.subarray(at, at + LONG);
      const address = this.calls.address(part);
      const index = this.calls.add("pwrite64", [fd, address, part.length, offset + at]);
      this.#writes.push({ index, length: part.length });
    }
    this.bytes += bytes.length;
  }

  /** Sets what a file needs last, and closes it. */
  finishFile(
    fd: BatchResult | number,
    attributes: PlacedAttributes,
    size: number,
    written: number,
    report: Report,
  ): void {
    if (size !== written) this.calls.add("ftruncate", [fd, size]);
    this.setAttributes(fd, attributes, report);
    if (typeof fd === "number") {
      this.#closing.push({ fd, close: this.calls.add("close", [fd]) });
    } else this.close(fd);
  }

  /** Sets the attributes of an open file. A change of the owner takes capabilities and setuid away. */
  setAttributes(fd: BatchResult | number, attributes: PlacedAttributes, report: Report): void {
    const { calls } = this;
    const { uid, gid, mode, mtime, owned, xattrs } = attributes;
    if (owned) calls.add("fchown", [fd, uid, gid]);
    for (const { name, value } of xattrs) {
      const args = [fd, calls.name(name), calls.bytes(value), value.length, 0];
      const set = calls.add("fsetxattr", args, { accept: XATTR_ERRORS });
      this.reportErrno(
        set,
        (errno) => report(`attribute ${name}`, `fsetxattr(2) failed: ${errno}`),
      );
    }
    calls.add("fchmod", [fd, mode]);
    calls.add("utimensat", [fd, 0, this.times(mtime), 0]);
  }

  /** Sets owner and time of a symbolic link, which has no other attributes. */
  setLink(directory: BatchResult, name: number, attributes: PlacedAttributes): void {
    const { uid, gid, owned, mtime } = attributes;
    const { calls } = this;
    if (owned) calls.add("fchownat", [directory, name, uid, gid, AT_SYMLINK_NOFOLLOW]);
    calls.add("utimensat", [directory, name, this.times(mtime), AT_SYMLINK_NOFOLLOW]);
  }

  /** Two timespecs: of the last access, and of the last change. */
  times({ seconds, nanoseconds }: Time): number {
    return this.calls.words(seconds, nanoseconds, seconds, nanoseconds);
  }

  /** Has an accepted errno reported. */
  reportErrno(index: number, report: (errno: string) => void): void {
    this.#reports.push({ index, report });
  }

  close(fd: BatchResult): void {
    const close = this.calls.add("close", [fd]);
    this.#opened.findLast(({ open }) => open === fd.index)!.close = close;
  }

  /**
   * Runs it, and clears it.
   *
   * @throws {SyscallError} of the first call that failed
   */
  async run(): Promise<void> {
    if (this.#directory !== undefined) this.close(this.#directory.fd);
    this.#directory = undefined;
    try {
      const failure = await this.calls.run();
      if (failure !== undefined) throw this.#errorOf(failure.index, failure.name, failure.errno);
      this.#check();
    } catch (error) {
      this.#closeAll();
      throw error;
    } finally {
      for (const { fd } of this.#closing) this.#openFiles.delete(fd);
    }
  }

  /** Takes what has run out, so that new calls can be written. */
  reset(): void {
    this.calls.clear();
    this.bytes = 0;
    this.#places = [];
    this.#writes = [];
    this.#reports = [];
    this.#opened = [];
    this.#closing = [];
  }

  [Symbol.dispose](): void {
    this.calls[Symbol.dispose]();
  }

  #check(): void {
    for (const { index, length } of this.#writes) {
      // A write to a disk is short where that is full.
      if (this.calls.result(index) !== length) throw this.#errorOf(index, "pwrite64", ERRNO.ENOSPC);
    }
    for (const { index, report } of this.#reports) {
      const result = this.calls.result(index);
      if (result !== undefined && result < 0) report(errnoName(-result) ?? String(-result));
    }
  }

  #errorOf(index: number, name: string, errno: number): SyscallError {
    const place = this.#places.findLast(({ from }) => from <= index)?.place;
    const path = place === undefined ? "" : `${place.directory}/${place.name}`;
    return new SyscallError({ syscall: name, errno, call: `${JSON.stringify(path)}: ${name}(2)` });
  }

  #closeAll(): void {
    for (const { open, close } of this.#opened) {
      const fd = this.calls.result(open);
      const isOpen = fd !== undefined && fd >= 0;
      if (isOpen && (close === undefined || this.calls.result(close) === undefined)) closeNow(fd);
    }
    for (const { fd, close } of this.#closing) {
      if (this.calls.result(close) === undefined) closeNow(fd);
    }
  }

  #openedBy(open: number): BatchResult {
    this.#opened.push({ open, close: undefined });
    return new BatchResult(open);
  }
}

const XATTR_ERRORS: readonly ErrnoName[] = [
  "EOPNOTSUPP",
  "EPERM",
  "EINVAL",
  "ENOSPC",
  "E2BIG",
  "ERANGE",
  "EDQUOT",
];

function closeNow(fd: number): void {
  syscall(close(fd));
}

function endOf(pieces: readonly Piece[]): number {
  const last = pieces.at(-1);
  return last === undefined ? 0 : last.offset + last.bytes.length;
}

function xattrBytes(xattrs: readonly Xattr[]): number {
  return xattrs.reduce((sum, { name, value }) => sum + name.length * 3 + value.length + 32, 0);
}
