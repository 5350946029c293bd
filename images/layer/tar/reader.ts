/**
 * Reads an archive as it comes, in pieces of any size: ustar, GNU, PAX and what libarchive, busybox
 * and star write.
 *
 * @module
 */

import { ArchiveError } from "../errors.ts";
import type { Segment, TarEntry } from "./entry.ts";
import { entryOf, type Extensions, typeOf } from "./extensions.ts";
import { BLOCK, type Header, isZero, readHeader, untilNul } from "./header.ts";
import { numberOf } from "./numbers.ts";
import { paxNumber, paxRecords } from "./pax.ts";
import { oldSegments, SparseMapReader } from "./sparse.ts";

/** The most bytes of an extended header, or of a long name. Go's reader has the same bound. */
const MOST_EXTENSION = 1 << 20;

/** The most extended headers and long names before a file; writers have three. */
const MOST_HEADERS = 16;

/** The most records of global headers, which are looked through for each file. */
const MOST_GLOBALS = 256;

/** What takes the files of an archive. */
export interface TarSink {
  /** A file begins. `start` is where its data begin in the archive. */
  entry(entry: TarEntry, start: number): void;
  /** A piece of its data; the bytes stay as they are. */
  data(piece: Uint8Array): void;
  /** It ends. */
  end(): void;
}

/** What the reader takes next. */
type State =
  | { readonly kind: "header" }
  | {
    readonly kind: "extension";
    readonly header: Header;
    readonly bytes: Uint8Array;
    filled: number;
  }
  | {
    readonly kind: "old-map";
    readonly header: Header;
    readonly segments: Segment[];
    size: number;
  }
  | { readonly kind: "map"; readonly header: Header; readonly map: SparseMapReader; left: number }
  | { readonly kind: "data"; left: number; readonly skipped: boolean }
  | { readonly kind: "end" };

const HEADER: State = { kind: "header" };

/** A reader of one archive. */
export class TarReader {
  readonly #sink: TarSink;
  #state: State = HEADER;
  /** How many bytes of padding come first. */
  #padding = 0;
  /** A block that came in part. */
  readonly #block = new Uint8Array(BLOCK);
  #filled = 0;
  /** How many bytes were taken. */
  #position = 0;
  #zeroBlocks = 0;
  #globals: Extensions = { records: [] };
  #extensions: Extensions = { records: [] };
  /** How many headers they are from. */
  #headers = 0;

  /** A reader that gives what it reads to the sink. */
  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /**
   * Takes a piece of the archive. What comes behind its end is ignored.
   *
   * @throws {ArchiveError} if it is no tar, or a broken one
   */
  push(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      const taken = this.#take(at === 0 ? piece : piece.subarray(at));
      at += taken;
      this.#position += taken;
    }
  }

  /** Passes over data without taking them, as many as come next and are there; returns how many. */
  skip(most: number): number {
    const state = this.#state;
    const data = state.kind === "data" ? Math.min(state.left, most) : 0;
    if (state.kind === "data" && data > 0) {
      state.left -= data;
      if (state.left === 0) this.#endData(state.skipped, (this.#position + data) % BLOCK);
    }
    const padding = Math.min(this.#padding, most - data);
    this.#padding -= padding;
    this.#position += data + padding;
    return data + padding;
  }

  /**
   * Ends the archive, which need not have said so itself.
   *
   * @throws {ArchiveError} if it ends within a file
   */
  finish(): void {
    const { kind } = this.#state;
    const rest = this.#block.subarray(0, this.#filled);
    const inHeader = kind === "header" && rest.some((byte) => byte !== 0);
    if (inHeader || (kind !== "header" && kind !== "end")) {
      throw new ArchiveError(
        `the archive is cut: it ends within ${inHeader ? "a header" : "a file"}`,
      );
    }
    if (this.#extensions.records.length > 0 || this.#extensions.name !== undefined) {
      throw new ArchiveError("the archive is cut: it ends behind an extended header");
    }
  }

  #take(piece: Uint8Array): number {
    if (this.#padding > 0) {
      const taken = Math.min(this.#padding, piece.length);
      this.#padding -= taken;
      return taken;
    }
    const state = this.#state;
    if (state.kind === "end") return piece.length;
    if (state.kind === "data") return this.#takeData(state, piece);
    if (state.kind === "extension") return this.#takeExtension(state, piece);
    if (this.#filled === 0 && piece.length >= BLOCK) {
      this.#position += BLOCK;
      this.#takeBlock(piece.subarray(0, BLOCK));
      this.#position -= BLOCK;
      return BLOCK;
    }
    const taken = Math.min(BLOCK - this.#filled, piece.length);
    this.#block.set(piece.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#position += taken;
      this.#takeBlock(this.#block);
      this.#position -= taken;
    }
    return taken;
  }

  #takeBlock(block: Uint8Array): void {
    const state = this.#state;
    if (state.kind === "header") return this.#takeHeader(block);
    if (state.kind === "old-map") return this.#takeOldMap(state, block);
    if (state.kind === "map") this.#takeMap(state, block);
  }

  #takeHeader(block: Uint8Array): void {
    if (block[0] === 0 && isZero(block)) {
      this.#zeroBlocks++;
      if (this.#zeroBlocks === 2) this.#state = { kind: "end" };
      return;
    }
    if (this.#zeroBlocks > 0) {
      throw new ArchiveError("one block of zeros lies within the archive; two would end it");
    }
    const header = readHeader(block);
    if (header.size < 0) throw new ArchiveError("a size is negative");
    if ("xgXLK".includes(header.type)) return this.#beginExtension(header);
    if (header.type === "S") {
      const segments = oldSegments(block, 386, 4);
      const size = readOldSize(block);
      if (block[482] !== 0) {
        this.#state = { kind: "old-map", header, segments, size };
        return;
      }
      return this.#begin(header, { size, segments });
    }
    const { records } = this.#extensions;
    if (records.some(({ key, value }) => key === "GNU.sparse.major" && untilNul(value) === "1")) {
      this.#state = {
        kind: "map",
        header,
        map: new SparseMapReader(),
        left: this.#storedSize(header),
      };
      return;
    }
    this.#begin(header);
  }

  #beginExtension(header: Header): void {
    if (header.size > MOST_EXTENSION) {
      throw new ArchiveError(
        `an extended header or a long name has ${header.size} bytes, more than ${MOST_EXTENSION}`,
      );
    }
    const state: State = {
      kind: "extension",
      header,
      bytes: new Uint8Array(header.size),
      filled: 0,
    };
    this.#state = state;
    if (header.size === 0) this.#endExtension(header, state.bytes);
  }

  #takeExtension(state: State & { readonly kind: "extension" }, piece: Uint8Array): number {
    const { bytes, header, filled } = state;
    const taken = Math.min(bytes.length - filled, piece.length);
    bytes.set(piece.subarray(0, taken), filled);
    state.filled += taken;
    if (state.filled === bytes.length) {
      this.#padding = paddingOf(header.size);
      this.#endExtension(header, bytes);
    }
    return taken;
  }

  #endExtension({ type }: Header, bytes: Uint8Array): void {
    this.#state = HEADER;
    if (++this.#headers > MOST_HEADERS) {
      throw new ArchiveError(`a file has more than ${MOST_HEADERS} extended headers`);
    }
    if (type === "L") this.#extensions = { ...this.#extensions, name: untilNul(bytes) };
    else if (type === "K") this.#extensions = { ...this.#extensions, target: untilNul(bytes) };
    else if (type === "g") {
      this.#globals = { records: [...this.#globals.records, ...paxRecords(bytes)] };
    } else {
      const records = [...this.#extensions.records, ...paxRecords(bytes)];
      this.#extensions = { ...this.#extensions, records };
    }
    if (this.#globals.records.length > MOST_GLOBALS) {
      throw new ArchiveError(`the global headers have more than ${MOST_GLOBALS} records`);
    }
  }

  #takeOldMap(state: State & { readonly kind: "old-map" }, block: Uint8Array): void {
    state.segments.push(...oldSegments(block, 0, 21));
    if (state.segments.length > 1 << 20) {
      throw new ArchiveError("the map of a sparse file is too long");
    }
    if (block[504] === 0) this.#begin(state.header, state);
  }

  #takeMap(state: State & { readonly kind: "map" }, block: Uint8Array): void {
    state.left -= BLOCK;
    if (state.left < 0) throw new ArchiveError("the map of a sparse file is broken: it has no end");
    const segments = state.map.push(block);
    if (segments !== undefined) this.#begin(state.header, { segments, stored: state.left });
  }

  #begin(
    header: Header,
    sparse: { readonly segments?: Segment[]; readonly size?: number; readonly stored?: number } =
      {},
  ): void {
    const stored = sparse.stored ?? this.#storedSize(header);
    const type = typeOf(header.type, header.name);
    const entry = type === "skip" ? undefined : entryOf({
      header,
      kind: type,
      globals: this.#globals,
      extensions: this.#extensions,
      sparse: { ...sparse, stored },
    });
    this.#extensions = { records: [] };
    this.#headers = 0;
    const isFile = entry?.kind === "file";
    if (entry !== undefined) this.#sink.entry(entry, this.#position);
    if (entry !== undefined && !isFile) this.#sink.end();
    // Links and devices have no data, whatever size their headers name.
    const left = entry === undefined || isFile || header.type === "D" ? stored : 0;
    this.#state = { kind: "data", left, skipped: !isFile };
    if (left === 0) this.#endData(!isFile, 0);
  }

  #storedSize(header: Header): number {
    const last = (extensions: Extensions) =>
      extensions.records.findLast(({ key, value }) => key === "size" && value.length > 0);
    const size = last(this.#extensions) ?? last(this.#globals);
    return size === undefined ? header.size : paxNumber(size.value, "size");
  }

  #takeData(state: State & { readonly kind: "data" }, piece: Uint8Array): number {
    const taken = Math.min(state.left, piece.length);
    if (!state.skipped) this.#sink.data(taken === piece.length ? piece : piece.subarray(0, taken));
    state.left -= taken;
    if (state.left === 0) this.#endData(state.skipped, (this.#position + taken) % BLOCK);
    return taken;
  }

  /** @param over how many bytes of the last block the data take */
  #endData(skipped: boolean, over: number): void {
    this.#padding = over === 0 ? 0 : BLOCK - over;
    this.#state = HEADER;
    if (!skipped) this.#sink.end();
  }
}

function paddingOf(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

function readOldSize(block: Uint8Array): number {
  return numberOf(block.subarray(483, 495), "size of a sparse file");
}
