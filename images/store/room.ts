/**
 * How much room the store takes, and what of it could be had back.
 *
 * @module
 */

import type { Descriptor } from "../descriptor.ts";
import { ImageError } from "../errors.ts";
import { neededBy } from "./collect.ts";
import { statIfThere } from "./file_lock.ts";
import { namesIn, readIfThere } from "./files.ts";
import { NAME } from "./index_file.ts";
import type { Store } from "./store.ts";

/** How many images an error names that could be removed. */
const MOST_NAMED = 3;

/**
 * Refuses blobs for which a bounded store has no room: with those that are there, and the archives of the
 * roots that are unpacked, it may have so many bytes.
 *
 * @param what whose they are
 * @throws {ImageError} saying what there is, and what could be removed
 */
export async function checkRoom(
  store: Store,
  what: string,
  blobs: readonly Descriptor[],
  most: number,
): Promise<void> {
  const there = await sizesOf(store);
  const needed = sum(blobs.filter(({ digest }) => !there.has(digest)).map(({ size }) => size));
  const used = sum(there.values());
  if (used + needed <= most) return;
  throw new ImageError(
    `${what} needs ${needed} bytes more, and ${store.directory} has ${used} of the ${most} that it ` +
      "may have",
    { code: "too-large", advice: [...await removable(store, there), "or allow it more"] },
  );
}

/** The bytes of the blobs, whole or not, by their digest; and of the roots, by the digest of their chain. */
async function sizesOf(store: Store): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  const add = async (key: string, path: string) => {
    const state = await statIfThere(path);
    if (state !== undefined) sizes.set(key, state.size);
  };
  for (const algorithm of await namesIn(`${store.directory}/blobs`)) {
    const directory = `${store.directory}/blobs/${algorithm}`;
    for (const name of await namesIn(directory)) {
      await add(`${algorithm}:${name}`, `${directory}/${name}`);
    }
  }
  for (const name of await namesIn(store.places.partial)) {
    await add(`partial ${name}`, `${store.places.partial}/${name}`);
  }
  for (const name of await namesIn(store.places.roots)) {
    sizes.set(name, await bytesOfRoot(`${store.places.roots}/${name}/record.json`));
  }
  return sizes;
}

async function bytesOfRoot(record: string): Promise<number> {
  const bytes = await readIfThere(record);
  if (bytes === undefined) return 0;
  const { summary } = JSON.parse(new TextDecoder().decode(bytes));
  return typeof summary?.bytes === "number" ? summary.bytes : 0;
}

/** What could be removed, in words: the most first. */
async function removable(store: Store, sizes: ReadonlyMap<string, number>): Promise<string[]> {
  const images = await store.images();
  const bytes = async (kept: readonly Descriptor[]) => {
    const needed = await neededBy(store, kept, new Set());
    // A root is named by the chain of its layers, and whose it is.
    const isNeeded = (key: string) => needed.has(key) || needed.has(key.split("-")[0]!);
    return sum([...sizes].filter(([key]) => !isNeeded(key)).map(([, size]) => size));
  };
  const unused = await bytes(images);
  const lines = unused === 0
    ? []
    : [`ramekin images --prune removes ${unused} bytes that no image has`];
  const own = [];
  for (const name of new Set(images.map(({ annotations }) => annotations?.[NAME]))) {
    if (name === undefined) continue;
    const others = images.filter(({ annotations }) => annotations?.[NAME] !== name);
    own.push({ name, bytes: await bytes(others) - unused });
  }
  const largest = own.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes);
  return [
    ...lines,
    ...largest.slice(0, MOST_NAMED).map(({ name, bytes }) =>
      `ramekin rmi ${name} removes ${bytes} bytes that no other image has`
    ),
  ];
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}
