/**
 * From the bytes of a blob to those of its archive. What a blob is compressed by is told by its
 * bytes, as media types lie.
 *
 * @module
 */

import type { BlobReader } from "./blob.ts";
import { ArchiveError } from "./errors.ts";
import { gunzip } from "./gzip.ts";
import { BLOCK, isHeader, isZero } from "./tar/header.ts";
import { isZstd, unzstd } from "./zstd.ts";

/** What images may not be compressed by, and how it begins. */
const OTHERS: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["lzma", [0x5d, 0, 0]],
  ["lzip", [0x4c, 0x5a, 0x49, 0x50]],
  ["compress", [0x1f, 0x9d]],
  ["zip", [0x50, 0x4b, 3, 4]],
];

/**
 * The bytes of the archive that a blob holds, in pieces; the blob is read to its end.
 *
 * @throws {ArchiveError} if it is no archive, or compressed by what no image may be compressed by
 */
export function decompress(blob: BlobReader): AsyncIterable<Uint8Array<ArrayBuffer>> {
  const head = blob.peek(BLOCK);
  // The name of a file may begin with any magic number, but then the block has a checksum.
  if (isTar(head)) return plain(blob);
  if (head[0] === 0x1f && head[1] === 0x8b) return gunzip(blob);
  if (isZstd(head)) return unzstd(blob);
  const other = OTHERS.find(([, magic]) => magic.every((byte, at) => head[at] === byte));
  if (other !== undefined) {
    throw new ArchiveError(
      `it is compressed by ${other[0]}, and layers are by gzip or zstd, or not at all`,
    );
  }
  throw new ArchiveError("it is no tar archive, and is compressed by neither gzip nor zstd");
}

function isTar(head: Uint8Array): boolean {
  if (head.length < BLOCK) return head.every((byte) => byte === 0);
  return isHeader(head) || isZero(head.subarray(0, BLOCK));
}

async function* plain(blob: BlobReader): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let piece = blob.next(); piece !== undefined; piece = blob.next()) yield piece;
}
