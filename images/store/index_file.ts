/**
 * The index of the store: which image has which name. It is the index.json of an image layout, in which
 * other tools find the images too.
 *
 * @module
 */

import { type Descriptor, isObject, parseDocument, readDescriptor } from "../descriptor.ts";
import { ImageError } from "../errors.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../media_types.ts";
import { platformText } from "../platform.ts";
import { FileLock } from "./file_lock.ts";
import { readIfThere, writeWhole } from "./files.ts";
import type { Session } from "./session.ts";

/** The annotation with the name of an image. */
export const NAME = "org.opencontainers.image.ref.name";
/** The annotation with the digest that the registry has for the name: of an index, perhaps. */
export const ORIGIN = "dev.ramekin.origin";
/** The annotation with the moment at which it was stored. */
export const STORED = "dev.ramekin.stored";
/** The annotation with the fingerprint of the key by which it was verified: told, and not relied on. */
export const VERIFIED = "dev.ramekin.verified";

/** The files of an index. */
export interface IndexPlace {
  /** The index. */
  readonly path: string;
  /** The lock of whoever changes it. */
  readonly lock: string;
}

/** Reads the descriptors of an index; none if there is no file. */
export async function readIndex(path: string): Promise<readonly Descriptor[]> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) return [];
  const { manifests } = parseDocument(path, bytes);
  if (!Array.isArray(manifests)) {
    throw new ImageError(`${path} has no list "manifests"`, { code: "store" });
  }
  return manifests.map((value, at) =>
    readDescriptor(`${path}: manifest ${at + 1}`, value, OCI_MANIFEST)
  );
}

/** Changes the index; nobody else does meanwhile. */
export async function changeIndex(
  { path, lock }: IndexPlace,
  session: Session,
  change: (manifests: readonly Descriptor[]) => readonly Descriptor[],
  signal?: AbortSignal,
): Promise<void> {
  using _held = await FileLock.acquire(lock, { signal });
  const before = await readIndex(path);
  const after = change(before);
  if (after === before) return;
  await writeWhole(path, await indexBytes(path, after), session.temporary());
}

/** The index with other manifests, and what else it has said. */
export async function indexBytes(
  path: string,
  manifests: readonly Descriptor[],
): Promise<Uint8Array> {
  const bytes = await readIfThere(path);
  const rest = bytes === undefined ? {} : parseDocument(path, bytes);
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, ...rest, manifests };
  if (!isObject(index)) throw new TypeError("unreachable");
  return new TextEncoder().encode(JSON.stringify(index));
}

/** Whether two descriptors are of one name and platform, so that one takes the other's place. */
export function isSamePlace(one: Descriptor, other: Descriptor): boolean {
  return one.annotations?.[NAME] === other.annotations?.[NAME] &&
    placeOf(one) === placeOf(other);
}

function placeOf({ platform }: Descriptor): string {
  return platform === undefined ? "" : platformText(platform);
}
