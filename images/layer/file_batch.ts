/**
 * A batch of calls that make files, and what has to be looked at once it has run.
 *
 * @module
 */

import { AT_SYMLINK_NOFOLLOW } from "../../ffi/calls/constants/at.ts";
import {
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_WRONLY,
} from "../../ffi/calls/constants/open.ts";
import { close } from "../../ffi/calls/files.ts";
import { type BatchArgument, BatchResult, CallBatch } from "../../ffi/call_batch.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { ERRNO, type ErrnoName, errnoName } from "../../ffi/errno.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { openBeneath } from "../../ffi/files/beneath.ts";
import type { Xattr } from "../../ffi/files/overlay_notes.ts";
import { free } from "./memory.ts";
import type { PlacedAttributes } from "./owners.ts";
import type { Time } from "./tar/entry.ts";

/** The memory of a batch. */
export const MEMORY: number = 1 << 20;
/** The most bytes of one write (write(2)). */
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

/** A batch that is written. */
export class FileBatch implements Disposable {
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

  /** Pieces that nothing needs once it has run. */
  #released: Uint8Array<ArrayBuffer>[] = [];

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
    this.#setXattrs("fsetxattr", fd, xattrs, report);
    calls.add("fchmod", [fd, mode]);
    calls.add("utimensat", [fd, 0, this.times(mtime), 0]);
  }

  /**
   * Sets attributes of a link or a device, which is not opened, and closes its directory, which an
   * earlier batch has opened: no call takes the two beside each other.
   */
  setLinkXattrs(
    directory: number,
    name: string,
    xattrs: readonly Xattr[],
    report: Report,
  ): void {
    const path = this.calls.name(`/proc/self/fd/${directory}/${name}`);
    this.#setXattrs("lsetxattr", path, xattrs, report);
    this.#closing.push({ fd: directory, close: this.calls.add("close", [directory]) });
  }

  #setXattrs(
    call: "fsetxattr" | "lsetxattr",
    file: BatchArgument,
    xattrs: readonly Xattr[],
    report: Report,
  ): void {
    const { calls } = this;
    for (const { name, value } of xattrs) {
      const args = [file, calls.name(name), calls.bytes(value), value.length, 0];
      const set = calls.add(call, args, { accept: XATTR_ERRORS });
      this.reportErrno(set, (errno) => report(`attribute ${name}`, `${call}(2) failed: ${errno}`));
    }
  }

  /** Sets owner and time of a symbolic link, which has no mode. */
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

  /** Gives the memory of a piece back when it is cleared. */
  release(piece: Uint8Array<ArrayBuffer>): void {
    this.#released.push(piece);
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
    for (const piece of this.#released) free(piece);
    this.#released = [];
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

/** Why an attribute may not be set: the filesystem has none, or not this one. */
const XATTR_ERRORS: readonly ErrnoName[] = [
  "EOPNOTSUPP",
  "EPERM",
  "EINVAL",
  "ENOSPC",
  "E2BIG",
  "ERANGE",
  "EDQUOT",
];

/** Closes a descriptor of an earlier batch. */
export function closeNow(fd: number): void {
  syscall(close(fd));
}
