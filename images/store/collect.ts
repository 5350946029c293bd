/**
 * Collects what no image needs any more, and nobody works on.
 *
 * @module
 */

import { allPids } from "../../ffi/proc/proc_dir.ts";
import { mountinfoOf } from "../../ffi/proc/mountinfo.ts";
import { RamekinError } from "../../ffi/errors.ts";
import { chainIdOf, parseConfig } from "../config.ts";
import type { Descriptor } from "../descriptor.ts";
import { encodedOf } from "../digest.ts";
import { parseManifest } from "../manifest.ts";
import { isManifestType } from "../media_types.ts";
import { FileLock, statIfThere } from "./file_lock.ts";
import { namesIn } from "./files.ts";
import { keptBySessions, moveInto, type Session } from "./session.ts";
import type { Store } from "./store.ts";

/** What was collected. */
export interface Collected {
  /** How many blobs. */
  readonly blobs: number;
  /** How many unpacked roots. */
  readonly roots: number;
  /** How many bytes the blobs had. */
  readonly bytes: number;
}

/**
 * Removes blobs and roots that no named image has, and that no session and no container uses; and what
 * killed processes have left. Returns what it has removed.
 */
export async function collect(store: Store, signal?: AbortSignal): Promise<Collected> {
  await using session = await store.begin(signal);
  let collected: Collected;
  {
    // Whoever begins to use something waits until this is done. What is removed is only moved away
    // meanwhile: its files are removed with the session.
    using _closed = await FileLock.acquire(store.places.gate, { signal });
    const kept = await keptBySessions(store.places.work, session);
    const needed = await neededBy(store, await store.images(), kept);
    const inUse = rootsInUse();
    collected = {
      ...await moveBlobs(store, session, (digest) => needed.has(digest) || kept.has(digest)),
      roots: await moveRoots(
        store,
        session,
        (name) => kept.has(name) || inUse.includes(name) || needed.has(name.split("-")[0]!),
      ),
    };
    await movePartial(store, session, kept);
    signal?.throwIfAborted();
  }
  return collected;
}

/** The digests of all that the images consist of, and the chains of their layers. */
export async function neededBy(
  store: Store,
  images: readonly Descriptor[],
  kept: ReadonlySet<string>,
): Promise<Set<string>> {
  const needed = new Set<string>();
  const open = [...images];
  for (let blob = open.pop(); blob !== undefined; blob = open.pop()) {
    if (needed.has(blob.digest)) continue;
    needed.add(blob.digest);
    open.push(...await partsOf(store, blob));
  }
  // What a session keeps may be an image that has just lost its name.
  for (const digest of kept) needed.add(digest);
  for (const digest of [...needed]) {
    const chain = await chainOf(store, digest);
    if (chain !== undefined) needed.add(encodedOf(chain));
  }
  return needed;
}

/** What a manifest or an index names; nothing where it is missing or damaged. */
async function partsOf(store: Store, blob: Descriptor): Promise<readonly Descriptor[]> {
  if (!isManifestType(blob.mediaType)) return [];
  const parsed = await quietly(async () =>
    parseManifest("it", await store.document("it", blob), blob.mediaType)
  );
  if (parsed === undefined) return [];
  return parsed.kind === "index" ? parsed.manifests : [parsed.config, ...parsed.layers];
}

/** The chain of layers of a configuration; `undefined` if the digest is of something else. */
async function chainOf(store: Store, digest: string): Promise<string | undefined> {
  const state = await quietly(() => statIfThere(store.blobs.path(digest)));
  // Layers are large, configurations are not.
  if (state === undefined || state.size > 1 << 20) return undefined;
  return await quietly(async () => {
    const bytes = await store.document("it", { digest, size: state.size });
    return bytes[0] === 0x7b ? chainIdOf(parseConfig("it", bytes).diffIds) : undefined;
  });
}

async function quietly<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof RamekinError) return undefined;
    throw error;
  }
}

async function moveBlobs(
  store: Store,
  session: Session,
  isKept: (digest: string) => boolean,
): Promise<{ blobs: number; bytes: number }> {
  let [blobs, bytes] = [0, 0];
  for (const algorithm of await namesIn(`${store.directory}/blobs`)) {
    for (const name of await namesIn(`${store.directory}/blobs/${algorithm}`)) {
      if (isKept(`${algorithm}:${name}`)) continue;
      const path = `${store.directory}/blobs/${algorithm}/${name}`;
      bytes += (await statIfThere(path))?.size ?? 0;
      blobs++;
      await moveInto(path, session);
    }
  }
  return { blobs, bytes };
}

async function moveRoots(
  store: Store,
  session: Session,
  isKept: (name: string) => boolean,
): Promise<number> {
  const names = (await namesIn(store.places.roots)).filter((name) => !isKept(name));
  for (const name of names) await moveInto(`${store.places.roots}/${name}`, session);
  return names.length;
}

/** Moves blobs away that nobody is downloading. */
async function movePartial(
  store: Store,
  session: Session,
  kept: ReadonlySet<string>,
): Promise<void> {
  for (const name of await namesIn(store.places.partial)) {
    if (kept.has(name.replace("-", ":"))) continue;
    await moveInto(`${store.places.partial}/${name}`, session);
  }
}

/**
 * The text of all mounts of all containers that can be seen, where a container shows a file of the root
 * that it uses: it may have outlived its script, and with it the session.
 */
function rootsInUse(): string {
  return allPids().map((pid) => {
    try {
      return mountinfoOf(pid);
    } catch (error) {
      if (error instanceof RamekinError) return "";
      throw error;
    }
  }).filter((text) => text.includes("/in-use ")).join("");
}
