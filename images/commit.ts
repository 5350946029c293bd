/**
 * Makes a new image of what a container has changed.
 *
 * @module
 */

import { parseDocument } from "./descriptor.ts";
import { ImageError } from "./errors.ts";
import { Image } from "./image.ts";
import { addImage, type NewConfig, newName, sourceDate } from "./new_image.ts";
import { Store } from "./store/store.ts";

/** Options of {@linkcode commit}. */
export interface CommitOptions {
  /** The directory of the changes: that of `persistent`, which no container uses now. */
  readonly changes: string;
  /** How the program is started. */
  readonly config?: NewConfig;
  /** What is said of the change in the history of the image. */
  readonly message?: string;
  /**
   * The time of the image in seconds since 1970, and the latest one of its files: the same changes then
   * make the same image.
   *
   * @default {SOURCE_DATE_EPOCH, or else now}
   */
  readonly epoch?: number | undefined;
  /**
   * The most bytes of the files that have changed, with the holes in them.
   *
   * @default {34_359_738_368}
   */
  readonly maxBytes?: number | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/**
 * Makes a new image of an image and of what a container of it has changed: one layer more. Returns it; it
 * has to be disposed of.
 *
 * @param name the name of the new image in the store
 * @throws {ImageError} where there are no changes, or the name is none
 *
 * @example
 * ```ts
 * import { commit, image } from "@ramekin/ramekin/images";
 *
 * const build = async () => {
 *   await using debian = await image("debian:12");
 *   const persistent = "/tmp/changes";
 *   const command = await debian.command(["touch", "/etc/kitchen"], { persistent });
 *   await command.output();
 *   await using kitchen = await commit(debian, "kitchen:1", { changes: persistent });
 *   console.log(kitchen.digest);
 * };
 * ```
 */
export async function commit(
  image: Image,
  name: string,
  options: CommitOptions,
): Promise<Image> {
  const whole = newName(name);
  const { signal, message, maxBytes, config } = options;
  const store = await Store.open(image.store);
  const session = await store.begin(signal);
  try {
    const epoch = options.epoch ?? sourceDate();
    const path = session.temporary();
    const upper = await upperOf(options.changes);
    const layer = await image.writeChanges(upper, path, { epoch, signal, maxBytes });
    const descriptor = await addImage(store, session, {
      layer: { ...layer, path },
      before: parseDocument("the configuration", await image.configBytes()),
      manifest: image.manifest,
      config,
      time: new Date(epoch === undefined ? Date.now() : epoch * 1000),
      createdBy: "ramekin commit",
      message,
      signal,
    }, { name: whole, platform: image.platform });
    await store.name(session, descriptor, signal);
    return await Image.open(store, session, descriptor);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

async function upperOf(changes: string): Promise<string> {
  const path = `${changes}/upper`;
  try {
    if ((await Deno.stat(path)).isDirectory) return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new ImageError(`${changes} has no changes of a container`, {
    code: "not-found",
    advice: ["a run with --keep=DIRECTORY, or with the option persistent, leaves them there"],
  });
}
