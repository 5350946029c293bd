/**
 * Makes images of the store: a configuration, and a manifest with one layer more than a base has.
 *
 * @module
 */

import { parseConfig } from "./config.ts";
import { type Descriptor, isObject, type JsonObject, type Platform } from "./descriptor.ts";
import { environment } from "./environment.ts";
import { ImageError } from "./errors.ts";
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
} from "./media_types.ts";
import { parseReference, referenceText } from "./reference.ts";
import { partsOf } from "./sources/file_set.ts";
import { NAME, ORIGIN, STORED } from "./store/index_file.ts";
import type { Session } from "./store/session.ts";
import type { Store } from "./store/store.ts";
import type { Manifest } from "./manifest.ts";
import type { WrittenBlob } from "./layer/mod.ts";

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

/** What is new in an image. */
export interface ImageChange {
  /** The blob of its layer, in a file; without one only the configuration is new. */
  readonly layer?: (WrittenBlob & { readonly path: string }) | undefined;
  /** The configuration of the base. */
  readonly before: JsonObject;
  /** The base. */
  readonly manifest: Pick<Manifest, "mediaType" | "layers"> | undefined;
  readonly config?: NewConfig | undefined;
  /** When it was made. */
  readonly time: Date;
  /** What the history says of it. */
  readonly createdBy: string;
  readonly message?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The media type of a layer in a manifest of docker's. */
const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/**
 * Returns the whole name of a new image in the store.
 *
 * @throws {ImageError} where it is none
 */
export function newName(name: string): string {
  const reference = parseReference(name);
  if (reference.transport === "registry" && reference.digest === undefined) {
    return referenceText(reference);
  }
  throw new ImageError(`${JSON.stringify(name)} is no name for an image in the store`, {
    code: "reference",
    advice: ["one is tool:latest"],
  });
}

/** Adds the blobs of an image to the store, and returns its descriptor. It has no name there yet. */
export async function addImage(
  store: Store,
  session: Session,
  change: ImageChange,
  { name, platform }: { readonly name: string | undefined; readonly platform: Platform },
): Promise<Descriptor> {
  const { manifest: { mediaType = OCI_MANIFEST, layers = [] } = {}, layer, signal } = change;
  const isDocker = mediaType === DOCKER_MANIFEST;
  const added: Descriptor[] = [];
  if (layer !== undefined) {
    const { path, digest, size } = layer;
    const type = isDocker ? DOCKER_LAYER : `${OCI_LAYER}+gzip`;
    const descriptor = { mediaType: type, digest, size };
    await store.add(session, descriptor, (offset) => partsOf(path, offset, Infinity), { signal });
    added.push(descriptor);
  }
  const configType = isDocker ? DOCKER_CONFIG : OCI_CONFIG;
  const manifest = await store.addBytes(
    session,
    mediaType,
    bytesOf({
      schemaVersion: 2,
      mediaType,
      config: await store.addBytes(session, configType, bytesOf(changedConfig(change))),
      layers: [...layers, ...added],
    }),
  );
  return {
    ...manifest,
    platform,
    annotations: {
      ...(name !== undefined && { [NAME]: name }),
      [ORIGIN]: manifest.digest,
      [STORED]: new Date().toISOString(),
    },
  };
}

/**
 * The time that reproducible builds use; see reproducible-builds.org.
 *
 * @throws {ImageError} where the variable is no number of seconds
 */
export function sourceDate(): number | undefined {
  const text = environment()["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new ImageError(`SOURCE_DATE_EPOCH=${text} is no number of seconds`, { code: "invalid" });
}

/** The configuration with what is new. */
function changedConfig(
  { before, layer, config = {}, time, createdBy, message }: ImageChange,
): JsonObject {
  const { diffIds } = parseConfig("the configuration", bytesOf(before));
  const created = time.toISOString().replace(".000Z", "Z");
  const history = Array.isArray(before["history"]) ? before["history"] : [];
  const entry = {
    created,
    created_by: createdBy,
    ...(message !== undefined && { comment: message }),
    ...(layer === undefined && { empty_layer: true }),
  };
  const added = layer === undefined ? [] : [layer.diffId];
  return {
    ...before,
    created,
    config: programWith(isObject(before["config"]) ? before["config"] : {}, config),
    rootfs: { type: "layers", diff_ids: [...diffIds, ...added] },
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
