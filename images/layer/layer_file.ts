/**
 * The blob of a layer: an archive that is compressed by gzip into a new file, with its digests. The same
 * archive is the same blob: the header of gzip has no name and no time (RFC 1952).
 *
 * @module
 */

import { createHash } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { createGzip } from "node:zlib";
import { decoded, type Decoder } from "./decoder.ts";

/** A blob that was written. */
export interface WrittenBlob {
  /** The digest and size of the blob. */
  readonly digest: string;
  readonly size: number;
  /** The digest of the archive in it. */
  readonly diffId: string;
}

const [PIECE, LEVEL] = [256 * 1024, 6];

/**
 * Writes an archive to a new file. Nothing is left of it where that fails.
 *
 * @param parts the bytes of the archive, however small the parts are
 */
export async function writeLayerFile(
  path: string,
  parts: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<WrittenBlob> {
  const fd = openSync(path, "wx", 0o644);
  const [blob, diff] = [createHash("sha256"), createHash("sha256")];
  let size = 0;
  try {
    const pieces = piecesOf(parts);
    const next = async () => {
      signal?.throwIfAborted();
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
  };
}

/** The bytes in pieces that are worth a call each. */
async function* piecesOf(
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = new Uint8Array(PIECE);
  let filled = 0;
  for await (const bytes of parts) {
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
