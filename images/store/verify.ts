/**
 * Verifies the store: that each blob is what its name says, and each image whole.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Descriptor } from "../descriptor.ts";
import { algorithmOf, digestIssue, hashFor } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { parseManifest } from "../manifest.ts";
import { isManifestType } from "../media_types.ts";
import { namesIn } from "./files.ts";
import { NAME } from "./index_file.ts";
import type { Store } from "./store.ts";

/** Something that is wrong with a store. */
export interface StoreIssue {
  /** The image that it concerns, where one has a name. */
  readonly image?: string;
  /** The blob. */
  readonly digest: string;
  /** What is wrong. */
  readonly issue: string;
}

/**
 * Reads all blobs, and returns what is wrong; nothing is changed.
 *
 * @param remove whether blobs that are damaged are removed, so that the next pull gets them again
 */
export async function verify(
  store: Store,
  { remove = false, signal }: { remove?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<readonly StoreIssue[]> {
  const damaged = await damagedBlobs(store, signal);
  const issues: StoreIssue[] = [];
  const told = new Set<string>();
  for (const image of await store.images()) {
    for (const part of await missingOrDamaged(store, image, damaged)) {
      told.add(part.digest);
      issues.push({ image: image.annotations?.[NAME] ?? image.digest, ...part });
    }
  }
  for (const digest of damaged) {
    if (!told.has(digest)) issues.push({ digest, issue: DAMAGED });
    if (remove) await Deno.remove(store.blobs.path(digest));
  }
  return issues;
}

const DAMAGED = "is damaged: its content is not what its digest says";

async function damagedBlobs(store: Store, signal?: AbortSignal): Promise<Set<string>> {
  const damaged = new Set<string>();
  for (const algorithm of await namesIn(`${store.directory}/blobs`)) {
    for (const name of await namesIn(`${store.directory}/blobs/${algorithm}`)) {
      const digest = `${algorithm}:${name}`;
      if (digestIssue(digest) !== undefined) continue;
      if (await digestOfFile(store.blobs.path(digest), digest, signal) !== digest) {
        damaged.add(digest);
      }
    }
  }
  return damaged;
}

/** The digest of a file, by the algorithm of another digest. */
async function digestOfFile(path: string, like: string, signal?: AbortSignal): Promise<string> {
  const hash = hashFor(like);
  using file = await Deno.open(path);
  const buffer = Buffer.allocUnsafe(1 << 18);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    signal?.throwIfAborted();
    hash.update(buffer.subarray(0, count));
  }
  return `${algorithmOf(like)}:${hash.digest("hex")}`;
}

/** What an image lacks. */
async function missingOrDamaged(
  store: Store,
  image: Descriptor,
  damaged: ReadonlySet<string>,
): Promise<Omit<StoreIssue, "image">[]> {
  const { digest } = image;
  if (damaged.has(digest)) return [{ digest, issue: DAMAGED }];
  try {
    if (!await store.blobs.has(image)) return [{ digest, issue: "is missing" }];
    if (!isManifestType(image.mediaType)) return [];
    const bytes = await store.document("the manifest", image);
    const parsed = parseManifest("the manifest", bytes, image.mediaType);
    // An index names images of other platforms, which need not be here.
    if (parsed.kind === "index") return [];
    const parts = [parsed.config, ...parsed.layers].map((part) =>
      missingOrDamaged(store, { ...part, mediaType: "" }, damaged)
    );
    return (await Promise.all(parts)).flat();
  } catch (error) {
    if (error instanceof ImageError) return [{ digest, issue: error.issue }];
    throw error;
  }
}
