/**
 * Makes a new image of what a container has changed.
 *
 * @module
 */

import { parseConfig } from "./config.ts";
import { type Descriptor, isObject, type JsonObject, parseDocument } from "./descriptor.ts";
import { environment } from "./environment.ts";
import { ImageError } from "./errors.ts";
import { Image } from "./image.ts";
import { DOCKER_MANIFEST, OCI_LAYER } from "./media_types.ts";
import { parseReference, referenceText } from "./reference.ts";
import { partsOf } from "./sources/file_set.ts";
import { NAME, ORIGIN, STORED } from "./store/index_file.ts";
import type { Session } from "./store/session.ts";
import { Store } from "./store/store.ts";

/** How the program of a new image is started; what is not given is as in the image before. */
export interface NewConfig {
  /** What is always run. */
  readonly entrypoint?: readonly string[];
  /** What is run, or the arguments of the entry point. */
  readonly cmd?: readonly string[];
  /** The user. */
  readonly user?: string;
  /** Further variables, or others. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly workingDir?: string;
  /** Further labels, or others. */
  readonly labels?: Readonly<Record<string, string>>;
}

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

/** The media type of a layer in a manifest of docker's. */
const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

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
  const whole = nameFor(name);
  const { signal } = options;
  const store = await Store.open(image.store);
  const session = await store.begin(signal);
  try {
    const epoch = options.epoch ?? sourceDate();
    const { layer, diffId } = await addLayer(store, session, image, { ...options, epoch });
    const time = new Date(epoch === undefined ? Date.now() : epoch * 1000);
    const before = parseDocument("the configuration", await image.configBytes());
    const config = configWith(before, diffId, time, options);
    const manifest = await addManifest(store, session, image, layer, config);
    const descriptor: Descriptor = {
      ...manifest,
      platform: image.platform,
      annotations: {
        [NAME]: whole,
        [ORIGIN]: manifest.digest,
        [STORED]: new Date().toISOString(),
      },
    };
    await store.name(session, descriptor, signal);
    return await Image.open(store, session, descriptor);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

function nameFor(name: string): string {
  const reference = parseReference(name);
  if (reference.transport === "registry" && reference.digest === undefined) {
    return referenceText(reference);
  }
  throw new ImageError(`${JSON.stringify(name)} is no name for an image in the store`, {
    code: "reference",
    advice: ["one is tool:latest"],
  });
}

/** Adds the layer of the changes to the store. */
async function addLayer(
  store: Store,
  session: Session,
  image: Image,
  { changes, epoch, signal, maxBytes }: CommitOptions & { readonly epoch: number | undefined },
): Promise<{ layer: Descriptor; diffId: string }> {
  const file = session.temporary();
  const upper = await upperOf(changes);
  const { digest, size, diffId } = await image.writeChanges(upper, file, {
    epoch,
    signal,
    maxBytes,
  });
  const mediaType = image.manifest.mediaType === DOCKER_MANIFEST
    ? DOCKER_LAYER
    : `${OCI_LAYER}+gzip`;
  const layer = { mediaType, digest, size };
  await store.add(session, layer, (offset) => partsOf(file, offset, Infinity), { signal });
  return { layer, diffId };
}

/** Adds the documents of an image with one layer more. */
async function addManifest(
  store: Store,
  session: Session,
  { manifest: { mediaType, config: { mediaType: configType }, layers } }: Image,
  layer: Descriptor,
  config: JsonObject,
): Promise<Descriptor> {
  return await store.addBytes(
    session,
    mediaType,
    bytesOf({
      schemaVersion: 2,
      mediaType,
      config: await store.addBytes(session, configType, bytesOf(config)),
      layers: [...layers, layer],
    }),
  );
}

/** The time that reproducible builds use; see reproducible-builds.org. */
function sourceDate(): number | undefined {
  const text = environment()["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new ImageError(`SOURCE_DATE_EPOCH=${text} is no number of seconds`, { code: "invalid" });
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

/** The configuration with one more layer. */
function configWith(
  before: JsonObject,
  diffId: string,
  time: Date,
  { config = {}, message }: CommitOptions,
): JsonObject {
  const { diffIds } = parseConfig("the configuration", bytesOf(before));
  const created = time.toISOString().replace(".000Z", "Z");
  const history = Array.isArray(before["history"]) ? before["history"] : [];
  const entry = {
    created,
    created_by: "ramekin commit",
    ...(message !== undefined && { comment: message }),
  };
  return {
    ...before,
    created,
    config: programWith(isObject(before["config"]) ? before["config"] : {}, config),
    rootfs: { type: "layers", diff_ids: [...diffIds, diffId] },
    history: [...history, entry],
  };
}

function programWith(before: JsonObject, config: NewConfig): JsonObject {
  const { entrypoint, cmd, user, env, workingDir, labels } = config;
  const variables = Array.isArray(before["Env"]) ? before["Env"] as string[] : [];
  const others = variables.filter((text) => !Object.hasOwn(env ?? {}, text.split("=")[0]!));
  const added = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  return {
    ...before,
    // The command of the image before is for its entry point.
    ...(entrypoint !== undefined && { Entrypoint: entrypoint, Cmd: cmd ?? [] }),
    ...(cmd !== undefined && { Cmd: cmd }),
    ...(user !== undefined && { User: user }),
    ...(env !== undefined && { Env: [...others, ...added] }),
    ...(workingDir !== undefined && { WorkingDir: workingDir }),
    ...(labels !== undefined && {
      Labels: { ...(isObject(before["Labels"]) ? before["Labels"] : {}), ...labels },
    }),
  };
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
