/**
 * Reads what a layer says of its files, without their data.
 *
 * @module
 */

import { BlobReader } from "./blob.ts";
import { decompress } from "./decompress.ts";
import type { TarEntry } from "./tar/entry.ts";
import { TarReader } from "./tar/reader.ts";

/**
 * Reads the entries of a layer. Its digests are not checked.
 *
 * @throws {ArchiveError} if it is no archive, or a broken one
 */
export async function readLayer(
  path: string,
  take: (entry: TarEntry) => void,
  signal?: AbortSignal,
): Promise<void> {
  using blob = new BlobReader(path);
  const reader = new TarReader({ entry: take, data: () => {}, end: () => {} });
  for await (const piece of decompress(blob)) {
    signal?.throwIfAborted();
    reader.push(piece);
  }
  reader.finish();
}
