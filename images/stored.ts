/**
 * The images that are in the store.
 *
 * @module
 */

import { resolve as resolvePath } from "node:path";
import type { Descriptor, Platform } from "./descriptor.ts";
import { ImageError } from "./errors.ts";
import { Image } from "./image.ts";
import { parseManifest } from "./manifest.ts";
import { isManifestType } from "./media_types.ts";
import { fitness, parsePlatform, platformText, thisPlatform } from "./platform.ts";
import { pull, type PullOptions } from "./pull.ts";
import { parseReference, referenceText, shortReference } from "./reference.ts";
import { collect, type Collected } from "./store/collect.ts";
import { NAME, ORIGIN, STORED, VERIFIED } from "./store/index_file.ts";
import { Store } from "./store/store.ts";
import { type StoreIssue, verify } from "./store/verify.ts";

/** Which store. */
export interface StoreOptions {
  /** The directory of the store; the default is said in docs/images.md. */
  readonly store?: string;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** An image of the store, as a list shows it. */
export interface StoredImage {
  /** Its whole name: `docker.io/library/debian:12`. */
  readonly name: string;
  /** Its name as people write it: `debian:12`. */
  readonly shortName: string;
  /** The digest of its manifest. */
  readonly digest: string;
  /** The digest that the name had where the image came from. */
  readonly origin: string;
  /** What it is for. */
  readonly platform: string;
  /** The bytes of its layers; `undefined` where its manifest is missing. */
  readonly size: number | undefined;
  /** When it was stored, as a text of RFC 3339. */
  readonly stored: string | undefined;
  /** The fingerprint of the key by which its signature was verified when it was stored. */
  readonly verified: string | undefined;
}

/**
 * Lists the images of the store.
 *
 * @throws {ImageError} where the store is damaged
 *
 * @example
 * ```ts
 * import { storedImages } from "@ramekin/ramekin/images";
 *
 * const names = async () => (await storedImages()).map(({ shortName }) => shortName);
 * ```
 */
export async function storedImages(options: StoreOptions = {}): Promise<readonly StoredImage[]> {
  const store = await Store.openExisting(options.store);
  const images: StoredImage[] = [];
  if (store === undefined) return images;
  for (const image of await store.images()) {
    const name = image.annotations?.[NAME] ?? image.digest;
    images.push({
      name,
      shortName: shortName(name),
      digest: image.digest,
      origin: image.annotations?.[ORIGIN] ?? image.digest,
      platform: image.platform === undefined ? "" : platformText(image.platform),
      size: await sizeOf(store, image),
      stored: image.annotations?.[STORED],
      verified: image.annotations?.[VERIFIED],
    });
  }
  return images;
}

function shortName(name: string): string {
  try {
    return shortReference(parseReference(name));
  } catch {
    return name;
  }
}

async function sizeOf(store: Store, image: Descriptor): Promise<number | undefined> {
  if (!isManifestType(image.mediaType)) return undefined;
  try {
    const parsed = parseManifest("it", await store.document("it", image), image.mediaType);
    if (parsed.kind === "index") return undefined;
    return parsed.layers.reduce((sum, { size }) => sum + size, 0);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/**
 * Opens an image of the store, by its name or the beginning of its digest.
 *
 * @returns `undefined` where there is none for the platform
 * @throws {ImageError} where the name is none, or several images begin so
 *
 * @example
 * ```ts
 * import { storedImage } from "@ramekin/ramekin/images";
 *
 * const user = async () => {
 *   await using debian = await storedImage("debian:12");
 *   return debian?.config.user;
 * };
 * ```
 */
export async function storedImage(
  name: string,
  { platform, store: directory, signal, ids, maxBytes }:
    & StoreOptions
    & Pick<PullOptions, "platform" | "ids" | "maxBytes"> = {},
): Promise<Image | undefined> {
  const wanted = platform === undefined ? thisPlatform() : parsePlatform(platform);
  const find = async (store: Store) => best(matching(await store.images(), name), wanted);
  const there = await Store.openExisting(directory);
  if (there === undefined || await find(there) === undefined) return undefined;
  // What is found is kept from being collected, by a file of this process's.
  const store = await Store.open(directory);
  const session = await store.begin(signal);
  try {
    const found = await find(store);
    if (found !== undefined) return await Image.open(store, session, found, { ids, maxBytes });
    await session[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** Those that a name or the beginning of a digest means. */
function matching(images: readonly Descriptor[], name: string): readonly Descriptor[] {
  const begin = /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(name)?.[1];
  const byDigest = begin === undefined
    ? []
    : images.filter(({ digest }) => digest.startsWith(`sha256:${begin}`));
  if (new Set(byDigest.map(({ digest }) => digest)).size > 1) {
    throw new ImageError(`${name} is the beginning of several digests`, { code: "reference" });
  }
  if (byDigest.length > 0) return byDigest.slice(0, 1);
  const whole = storeName(name);
  return images.filter(({ annotations }) => annotations?.[NAME] === whole);
}

/** The name that an image of a reference has in the store. */
export function storeName(name: string): string {
  const reference = parseReference(name);
  if (reference.transport === "registry") return referenceText(reference);
  return referenceText({ ...reference, path: resolvePath(Deno.cwd(), reference.path) });
}

function best(images: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const fit = ({ platform }: Descriptor) => platform === undefined ? 1 : fitness(platform, wanted);
  return images.filter((image) => fit(image) > 0).toSorted((a, b) => fit(b) - fit(a))[0];
}

/**
 * Returns an image: from the store where it is there, and else it is pulled.
 *
 * @throws {ImageError} where the image cannot be had, is damaged, or is for another platform
 *
 * @example
 * ```ts
 * import { image } from "@ramekin/ramekin/images";
 *
 * const run = async () => {
 *   await using debian = await image("debian:12");
 *   const command = await debian.command(["cat", "/etc/os-release"]);
 *   console.log((await command.output()).text());
 * };
 * ```
 */
export async function image(name: string, options: PullOptions = {}): Promise<Image> {
  const reference = parseReference(name);
  // Files are read anew: they are near, and may have changed.
  if (reference.transport !== "registry") return await pull(reference, options);
  const stored = await storedImage(name, options);
  if (stored === undefined || options.verifyKey === undefined) {
    return stored ?? await pull(reference, options);
  }
  await using held = stored;
  // What the store says of an image is no signature: the registry is asked for that one, by the digest.
  return await pull({ ...parseReference(held.name), digest: held.origin }, {
    ...options,
    name: held.name,
  });
}

/**
 * Takes the names of images away, and removes what no other image and no container uses.
 *
 * @returns the names, and what was removed
 * @throws {ImageError} where there is no such image, and then none is removed
 *
 * @example
 * ```ts
 * import { removeImages } from "@ramekin/ramekin/images";
 *
 * const clean = async () => (await removeImages(["debian:11"])).bytes;
 * ```
 */
export async function removeImages(
  names: readonly string[],
  { store: directory, signal }: StoreOptions = {},
): Promise<Collected & { readonly names: readonly string[] }> {
  const store = await Store.open(directory);
  const taken: string[] = [];
  {
    await using session = await store.begin(signal);
    const images = await store.images();
    const meant = names.flatMap((name) => {
      const found = matching(images, name);
      if (found.length > 0) return found;
      const all = images.map(({ annotations }) => shortName(annotations?.[NAME] ?? ""));
      throw new ImageError(`there is no image ${name} in the store`, {
        code: "not-found",
        advice: all.length === 0 ? [] : [`there are ${all.join(", ")}`],
      });
    });
    const gone = await store.unname(
      session,
      (image) =>
        meant.some((one) =>
          one.digest === image.digest && one.annotations?.[NAME] === image.annotations?.[NAME]
        ),
    );
    taken.push(...gone.map(({ annotations }) => annotations![NAME]!));
  }
  return { names: taken, ...await collect(store, signal) };
}

/**
 * Removes what no image and no container uses: what killed pulls have left, for example.
 *
 * @throws {ImageError} where the store is damaged
 *
 * @example
 * ```ts
 * import { collectGarbage } from "@ramekin/ramekin/images";
 *
 * const freed = async () => (await collectGarbage()).bytes;
 * ```
 */
export async function collectGarbage(options: StoreOptions = {}): Promise<Collected> {
  return await collect(await Store.open(options.store), options.signal);
}

/**
 * Reads all that is stored, and returns what is damaged or missing.
 *
 * @param options `remove` removes damaged blobs, so that the next pull gets them again
 *
 * @example
 * ```ts
 * import { verifyStore } from "@ramekin/ramekin/images";
 *
 * const isWhole = async () => (await verifyStore()).length === 0;
 * ```
 */
export async function verifyStore(
  { store, ...options }: StoreOptions & { readonly remove?: boolean } = {},
): Promise<readonly StoreIssue[]> {
  return await verify(await Store.open(store), options);
}
