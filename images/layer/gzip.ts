/**
 * Reads gzip: one member or many, as parallel compressors write, and the zeros that fill a block.
 *
 * @module
 */

import { createGunzip } from "node:zlib";
import type { BlobReader } from "./blob.ts";
import { decoded, type Decoder } from "./decoder.ts";
import { ArchiveError } from "./errors.ts";
import { free } from "./memory.ts";

/** The size at which node:zlib is fastest. */
const CHUNK = 256 * 1024;

/**
 * Decodes the blob. It is read to its end.
 *
 * @throws {ArchiveError} if it is cut, damaged, or more than zeros lies behind it
 */
export async function* gunzip(blob: BlobReader): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  let fed = 0;
  /** What was given to the decoder last, of which it may leave the end. */
  const recent: Uint8Array<ArrayBuffer>[] = [];
  const next = () => {
    const piece = blob.next();
    if (piece !== undefined) {
      fed += piece.length;
      recent.push(piece);
      // It is done with a piece once it has begun with the next one.
      while (recent.length > 2 && fed - sum(recent) + recent[0]!.length < gunzip.bytesWritten) {
        free(recent.shift()!);
      }
    }
    return piece;
  };
  try {
    yield* decoded(gunzip as unknown as Decoder, next);
  } catch (error) {
    throw new ArchiveError(reasonOf(error as Error & { readonly code?: string }), { cause: error });
  }
  // node:zlib stops in silence where zeros follow a member, and takes no more after them.
  const start = fed - sum(recent);
  let at = start;
  for (const piece of recent) {
    checkZeros(piece.subarray(Math.max(0, gunzip.bytesWritten - at)));
    at += piece.length;
  }
  for (let piece = blob.next(); piece !== undefined; piece = blob.next()) checkZeros(piece);
}

function sum(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, { length }) => total + length, 0);
}

function checkZeros(bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) throw new ArchiveError(GARBAGE);
}

const GARBAGE = "behind the gzip stream lie bytes that are neither zeros nor another member of it";

function reasonOf({ code, message }: Error & { readonly code?: string }): string {
  if (code === "Z_BUF_ERROR") return "the gzip stream is cut";
  if (message.includes("incorrect header check") || code === "ERR_STREAM_PUSH_AFTER_EOF") {
    return GARBAGE;
  }
  return `the gzip stream is damaged: ${message}`;
}
