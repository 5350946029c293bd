/**
 * Loads the images of an archive into the store.
 *
 * @module
 */

import { resolve } from "node:path";
import { ImageError } from "../errors.ts";
import { type Image, MOST_BYTES } from "../image.ts";
import { pull, type PullOptions } from "../pull.ts";
import type { FileReference, FileTransport } from "../reference.ts";
import { openArchive } from "../sources/archive_files.ts";
import { DockerArchiveSource } from "../sources/docker_archive.ts";
import { LayoutSource } from "../sources/layout.ts";
import { Store } from "../store/store.ts";

/** Options of {@linkcode load}. */
export interface LoadOptions
  extends Pick<PullOptions, "platform" | "store" | "unpack" | "progress" | "signal" | "maxBytes"> {
  /** The name of the only image, in place of that in the archive. */
  readonly name?: string;
}

/**
 * Loads all images of an archive: of `docker save`, `podman save`, `skopeo`, or an image layout in a tar
 * file. Returns them; each has to be disposed of.
 *
 * @throws {ImageError} where the file is none, or has an image that is not valid
 *
 * @example
 * ```ts
 * import { load } from "@ramekin/ramekin/images";
 *
 * const names = async () => {
 *   const images = await load("debian.tar");
 *   for (const image of images) await image[Symbol.asyncDispose]();
 *   return images.map(({ name }) => name);
 * };
 * ```
 */
export async function load(path: string, options: LoadOptions = {}): Promise<readonly Image[]> {
  const file = resolve(Deno.cwd(), path);
  const { transport, names } = await namesIn(file, options);
  const { name } = options;
  if (name !== undefined && names.length > 1) {
    throw new ImageError(`${path} has ${names.length} images, and one name is given`, {
      code: "reference",
    });
  }
  const images: Image[] = [];
  try {
    for (const image of names.length === 0 ? [undefined] : names) {
      const reference: FileReference = {
        transport,
        path: file,
        ...(image !== undefined && { image }),
      };
      const stored = name ?? image;
      images.push(
        await pull(reference, { ...options, ...(stored !== undefined && { name: stored }) }),
      );
    }
    return images;
  } catch (error) {
    for (const image of images) await image[Symbol.asyncDispose]();
    throw error;
  }
}

/** The names of the images in an archive, and its kind. */
async function namesIn(
  path: string,
  options: LoadOptions,
): Promise<{ transport: FileTransport; names: readonly string[] }> {
  const store = await Store.open(options.store);
  await using session = await store.begin(options.signal);
  const files = await openArchive(path, session, options.maxBytes ?? MOST_BYTES);
  // An archive of both kinds has whole manifests in its layout.
  if (await files.size("index.json") !== undefined) {
    const source = new LayoutSource(files, { transport: "oci-archive", path });
    return { transport: "oci-archive", names: await source.names() };
  }
  const source = new DockerArchiveSource(files, { transport: "docker-archive", path });
  return { transport: "docker-archive", names: await source.names() };
}
