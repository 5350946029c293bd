/**
 * Writes an image of the store into an image layout, which other tools read.
 *
 * @module
 */

import { algorithmOf, encodedOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import type { Image } from "../image.ts";
import { partsOf } from "../sources/file_set.ts";
import { FileLock, statIfThere } from "../store/file_lock.ts";
import { namesIn, writeAll } from "../store/files.ts";
import { indexBytes, isSamePlace, NAME, readIndex } from "../store/index_file.ts";
import { writeWholeFile } from "./whole_file.ts";

/**
 * Adds an image to a layout, which is made if there is none. One of the same name loses it.
 *
 * @throws {ImageError} where the directory has other files in it
 */
export async function addToLayout(
  image: Image,
  directory: string,
  name: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  await begin(directory);
  const { config, layers } = image.manifest;
  for (const digest of [...layers.map(({ digest }) => digest), config.digest, image.digest]) {
    const path = `${directory}/blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
    if (await statIfThere(path) !== undefined) continue;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await writeWholeFile(path, async (file) => {
      for await (const part of partsOf(image.blobPath(digest), 0, Infinity)) {
        signal?.throwIfAborted();
        await writeAll(file, part);
      }
    });
  }
  const { manifest: { mediaType }, digest, manifestSize: size, platform } = image;
  const descriptor = {
    mediaType,
    digest,
    size,
    platform,
    ...(name !== undefined && { annotations: { [NAME]: name } }),
  };
  const index = `${directory}/index.json`;
  using _held = await FileLock.acquirePassing(`${index}.lock`, { remove: true, signal });
  const others = (await readIndex(index)).filter((other) => !isSamePlace(descriptor, other));
  const bytes = await indexBytes(index, [...others, descriptor]);
  await writeWholeFile(index, (file) => writeAll(file, bytes));
}

/** Makes the files of an empty layout, unless there is one. */
async function begin(directory: string): Promise<void> {
  const names = await namesIn(directory);
  if (names.includes("oci-layout")) return;
  if (names.length > 0) {
    throw new ImageError(`${directory} has other files in it, and is no image layout`, {
      code: "invalid",
      advice: ["name an empty directory, or one that does not exist"],
    });
  }
  await Deno.mkdir(`${directory}/blobs/sha256`, { recursive: true });
  await Deno.writeTextFile(`${directory}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
}
