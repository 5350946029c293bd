/**
 * Pushes images of the store to registries.
 *
 * @module
 */

import { ImageError } from "./errors.ts";
import type { Image } from "./image.ts";
import { isForeign } from "./media_types.ts";
import type { ProgressReporter } from "./progress.ts";
import { parseReference, type RegistryReference } from "./reference.ts";
import type { RegistryOptions } from "./registry/options.ts";
import { Repository } from "./registry/repository.ts";
import { CHUNK, Uploads } from "./registry/upload.ts";
import { partsOf } from "./sources/file_set.ts";

/** Options of {@linkcode push}. */
export interface PushOptions extends RegistryOptions {
  /**
   * How many bytes of a layer are sent with one request, where the registry does not want more.
   *
   * @default {8388608}
   */
  readonly chunkSize?: number;
  /** Is told what is being done. */
  readonly progress?: ProgressReporter;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** The most blobs that are sent at once. */
const AT_ONCE = 3;

/**
 * Pushes an image of the store to a registry: what it has is not sent again, and what another repository
 * of it has is taken from there. Returns the reference by digest.
 *
 * @param to where to; its own name, unless it is given
 * @throws {ImageError} where the registry refuses it
 *
 * @example
 * ```ts
 * import { image, push } from "@ramekin/ramekin/images";
 *
 * const copy = async () => {
 *   await using debian = await image("debian:12");
 *   console.log(await push(debian, "registry.example/team/debian:12"));
 * };
 * ```
 */
export async function push(
  image: Image,
  to: string = image.name,
  options: PushOptions = {},
): Promise<string> {
  const reference = parseReference(to);
  if (reference.transport !== "registry") {
    throw new ImageError(`${to} is in no registry, and an image is pushed to one`, {
      code: "reference",
      advice: ["ramekin save writes an archive"],
    });
  }
  const { registry, repository, tag, digest } = reference;
  const { signal } = options;
  if (digest !== undefined && digest !== image.digest) {
    throw new ImageError(`${to} is not the digest of the image, which is ${image.digest}`, {
      code: "reference",
    });
  }
  using place = await Repository.open(registry, repository, options, signal);
  const uploads = new Uploads(place, options.chunkSize ?? CHUNK);
  const from = repositoryOf(image, reference);
  await sendAll(image, uploads, from, options);
  const { digest: own, manifestSize: size, manifest: { mediaType } } = image;
  const bytes = await image.manifestBytes();
  await uploads.sendManifest({ mediaType, digest: own, size }, bytes, tag ?? own);
  return `${registry}/${repository}@${image.digest}`;
}

/** The repository of the same registry that the image came from. */
function repositoryOf({ name }: Image, { registry }: RegistryReference): string | undefined {
  const own = parseReference(name);
  return own.transport === "registry" && own.registry === registry ? own.repository : undefined;
}

async function sendAll(
  image: Image,
  uploads: Uploads,
  from: string | undefined,
  { progress, signal }: PushOptions,
): Promise<void> {
  const { config, layers } = image.manifest;
  const blobs = new Map([...layers, config].map((blob) => [blob.digest, blob]));
  const waiting = [...blobs.values()].filter(({ mediaType }) => !isForeign(mediaType));
  const work = async () => {
    for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) {
      signal?.throwIfAborted();
      const { digest, size } = blob;
      const path = image.blobPath(digest);
      const how = await uploads.send({
        blob,
        from,
        read: (offset, size) => readPart(path, offset, size),
        progress: (bytes) => progress?.({ kind: "upload", digest, bytes, size }),
      });
      progress?.({ kind: "uploaded", digest, size, how });
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function readPart(
  path: string,
  offset: number,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = await Array.fromAsync(partsOf(path, offset, size));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
