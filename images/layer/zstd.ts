/**
 * Reads zstd. node:zlib decodes the first frame of a stream and says nothing of the others, nor of
 * one that is cut; so frames are told apart here, by the headers of their blocks, and each is
 * decoded by itself. See RFC 8878, section 3.
 *
 * @module
 */

import { createZstdDecompress, zstdDecompressSync } from "node:zlib";
import type { BlobReader } from "./blob.ts";
import { decoded, type Decoder } from "./decoder.ts";
import { ArchiveError } from "./errors.ts";
import { free } from "./memory.ts";

const CHUNK = 256 * 1024;
const MAGIC = 0xfd2fb528;
/** The most bytes of a frame's header, with its magic number. */
const MOST_HEADER = 18;
/** The most bytes that a block decodes to. */
const MOST_OF_BLOCK = 128 * 1024;
/** With no more blocks a frame is decoded at once: zstd:chunked has a small frame for each file. */
const FEW_BLOCKS = 8;

/** Pieces of this size are handed on: there may be a frame for each byte. */
const WORTHWHILE = 64 * 1024;

/** Whether a stream begins so: a frame, or one to be skipped. */
export function isZstd(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && (magicOf(bytes) === MAGIC || isSkippable(magicOf(bytes)));
}

/**
 * Decodes the blob. It is read to its end.
 *
 * @throws {ArchiveError} if it is cut or damaged
 */
export async function* unzstd(blob: BlobReader): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const input = new Input(blob);
  let small: Uint8Array[] = [];
  let size = 0;
  for await (const piece of framesOf(input)) {
    if (size === 0 && piece.length >= WORTHWHILE) {
      yield piece;
      continue;
    }
    small.push(piece);
    size += piece.length;
    if (size < WORTHWHILE) continue;
    yield joined(small);
    [small, size] = [[], 0];
  }
  yield joined(small);
}

/** What the frames hold, one after the other. */
async function* framesOf(input: Input): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  while (input.has(1)) {
    const head = input.peek(8);
    if (head.length < 8) throw cut();
    const magic = magicOf(head);
    if (isSkippable(magic)) {
      input.skip(8);
      input.skip(new DataView(head.buffer, head.byteOffset).getUint32(4, true));
      continue;
    }
    if (magic !== MAGIC) {
      throw new ArchiveError("behind a frame of zstd lie bytes that are no frame");
    }
    yield* decodeFrame(input);
  }
}

async function* decodeFrame(input: Input): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const pieces = piecesOf(input);
  const first: Uint8Array<ArrayBuffer>[] = [];
  let next = pieces.next();
  for (; !next.done && first.length <= FEW_BLOCKS; next = pieces.next()) first.push(next.value);
  try {
    if (next.done) yield decodeSmall(first);
    else yield* decodeLarge([...first, next.value], pieces);
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    const { message } = error as Error;
    throw new ArchiveError(`the zstd stream is damaged: ${message}`, { cause: error });
  }
}

function decodeSmall(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const most = pieces.length * MOST_OF_BLOCK;
  return zstdDecompressSync(joined(pieces), { maxOutputLength: most }) as Uint8Array<ArrayBuffer>;
}

async function* decodeLarge(
  first: Uint8Array<ArrayBuffer>[],
  pieces: Iterator<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const decoder = createZstdDecompress({ chunkSize: CHUNK });
  // Each block by itself: where one call decodes more than a chunk and then comes to an error, Deno
  // 2.9 throws that at nobody, and the decoder never ends.
  const next = () => first.shift() ?? pieces.next().value ?? undefined;
  yield* decoded(decoder as unknown as Decoder, next, free);
  // The decoder may end before the pieces do, at the checksum.
  while (next() !== undefined);
}

/** What the header of a frame says. */
interface FrameHeader {
  readonly size: number;
  readonly hasChecksum: boolean;
}

function readFrameHeader(bytes: Uint8Array): FrameHeader {
  if (bytes.length < 6) throw cut();
  const descriptor = bytes[4]!;
  const single = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  const windowSize = single ? 0 : 1;
  const dictionarySize = [0, 1, 2, 4][descriptor & 3]!;
  const contentBytes = sizeCode === 0 ? (single ? 1 : 0) : 1 << sizeCode;
  const size = 5 + windowSize + dictionarySize + contentBytes;
  if (bytes.length < size) throw cut();
  return { size, hasChecksum: (descriptor & 4) !== 0 };
}

/** The bytes of one frame, block by block; they are taken from the input as they are asked for. */
function* piecesOf(input: Input): Generator<Uint8Array<ArrayBuffer>, void> {
  const header = readFrameHeader(input.peek(MOST_HEADER));
  let wanted = header.size;
  for (let last = false; !last;) {
    const head = input.peek(wanted + 3);
    if (head.length < wanted + 3) throw cut();
    const block = head[wanted]! | head[wanted + 1]! << 8 | head[wanted + 2]! << 16;
    last = (block & 1) !== 0;
    const type = block >> 1 & 3;
    if (type === 3) throw new ArchiveError("the zstd stream is damaged: a block of no type");
    // A block of one byte repeated stores that byte.
    const size = type === 1 ? 1 : block >> 3;
    yield input.take(wanted + 3 + size);
    wanted = 0;
  }
  if (header.hasChecksum) yield input.take(4);
}

/** The blob as bytes of which as many can be had at once as are needed. */
class Input {
  readonly #blob: BlobReader;
  /** Room for what was read, which lies from `#begin` to `#end` in it. */
  #room = new Uint8Array(2 * MOST_OF_BLOCK);
  #begin = 0;
  #end = 0;

  constructor(blob: BlobReader) {
    this.#blob = blob;
  }

  has(size: number): boolean {
    return this.peek(size).length >= size;
  }

  /** The next bytes, fewer at the end, which are not taken: they stay until more are asked for. */
  peek(size: number): Uint8Array<ArrayBuffer> {
    while (this.#end - this.#begin < size) {
      const more = this.#blob.next();
      if (more === undefined) break;
      this.#add(more);
      free(more);
    }
    return this.#room.subarray(this.#begin, Math.min(this.#end, this.#begin + size));
  }

  /** The next bytes, copied. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const bytes = this.peek(size);
    if (bytes.length < size) throw cut();
    this.#begin += size;
    return bytes.slice();
  }

  /** Takes bytes, however many, and keeps none. */
  skip(size: number): void {
    for (let left = size; left > 0;) {
      const there = this.peek(Math.min(left, MOST_OF_BLOCK)).length;
      if (there === 0) throw cut();
      this.#begin += there;
      left -= there;
    }
  }

  #add(more: Uint8Array): void {
    const rest = this.#end - this.#begin;
    if (this.#end + more.length > this.#room.length) {
      const from = this.#room.subarray(this.#begin, this.#end);
      if (rest + more.length > this.#room.length) {
        this.#room = new Uint8Array(2 * (rest + more.length));
      }
      this.#room.set(from);
      [this.#begin, this.#end] = [0, rest];
    }
    this.#room.set(more, this.#end);
    this.#end += more.length;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function magicOf(bytes: Uint8Array): number {
  return (bytes[0]! | bytes[1]! << 8 | bytes[2]! << 16 | bytes[3]! << 24) >>> 0;
}

function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
}

function cut(): ArchiveError {
  return new ArchiveError("the zstd stream is cut");
}
