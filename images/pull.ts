/**
 * Pulls images: from where they are into the store, checked.
 *
 * @module
 */

import { resolve as resolvePath } from "node:path";
import { type ImageConfig, parseConfig } from "./config.ts";
import type { Descriptor, Platform } from "./descriptor.ts";
import { ImageError } from "./errors.ts";
import {
  type IdOptions,
  Image,
  MOST_BYTES,
  type SizeOptions,
  type StoreSizeOptions,
} from "./image.ts";
import { checkRunnable, type Manifest, parseManifest } from "./manifest.ts";
import {
  checkPlatform,
  choosePlatform,
  parsePlatform,
  platformText,
  thisPlatform,
} from "./platform.ts";
import type { ProgressReporter } from "./progress.ts";
import { parseReference, type Reference, referenceText } from "./reference.ts";
import type { RegistryOptions } from "./registry/options.ts";
import { openSource } from "./sources/open.ts";
import type { ImageSource } from "./sources/source.ts";
import { PublicKey } from "./signatures/public_key.ts";
import { verifySignature } from "./signatures/verify.ts";
import { NAME, ORIGIN, STORED, VERIFIED } from "./store/index_file.ts";
import { checkRoom } from "./store/room.ts";
import type { Session } from "./store/session.ts";
import { Store } from "./store/store.ts";

/** Options of {@linkcode pull}. */
export interface PullOptions extends RegistryOptions, IdOptions, SizeOptions, StoreSizeOptions {
  /**
   * The platform that the image is for: `linux/arm64`. The default is that of this machine, and an image
   * for another is refused unless it is asked for here.
   */
  readonly platform?: string;
  /** The directory of the store; the default is said in docs/images.md. */
  readonly store?: string;
  /** The name in the store, in place of the reference: for images from files. */
  readonly name?: string;
  /**
   * Whether it is unpacked too, which is else done when it is first run.
   *
   * @default {true}
   */
  readonly unpack?: boolean;
  /**
   * A public key by which the image has to be signed: the path of a PEM file, or the text of one. Signatures
   * are those of cosign, in the registry of the image, which is asked for them each time.
   */
  readonly verifyKey?: string | undefined;
  /** Is told what is being done. */
  readonly progress?: ProgressReporter;
  /** Ends it. What is there of a layer already is gone on with the next time. */
  readonly signal?: AbortSignal;
}

/** The most blobs that are downloaded at once. */
const AT_ONCE = 4;

/** The most indexes within each other. */
const DEEPEST = 3;

/** An image as its documents describe it. */
interface Described {
  readonly descriptor: Descriptor;
  /** The digests of its manifest, and of the indexes around it, the outermost first. */
  readonly digests: readonly string[];
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly documents: readonly { readonly mediaType: string; readonly bytes: Uint8Array }[];
}

/**
 * Pulls an image into the store: what is not there yet is downloaded. Digests and sizes are checked. The
 * image that is returned keeps its files from being removed until it is disposed of.
 *
 * @throws {ImageError} where the image cannot be had, is damaged, or is for another platform
 *
 * @example
 * ```ts
 * import { pull } from "@ramekin/ramekin/images";
 *
 * const hello = async () => {
 *   await using image = await pull("debian:12");
 *   const { stdout } = await (await image.command(["cat", "/etc/debian_version"])).output();
 *   console.log(new TextDecoder().decode(stdout));
 * };
 * ```
 */
export async function pull(
  reference: string | Reference,
  options: PullOptions = {},
): Promise<Image> {
  const parsed = typeof reference === "string" ? parseReference(reference) : reference;
  const { signal, progress } = options;
  const name = nameFor(parsed, options.name);
  const key = options.verifyKey === undefined ? undefined : await PublicKey.read(options.verifyKey);
  const store = await Store.open(options.store);
  const session = await store.begin(signal);
  try {
    progress?.({ kind: "find", image: referenceText(parsed) });
    const descriptor = await fetchImage(
      store,
      session,
      { reference: parsed, name, key },
      options,
    );
    const image = await Image.open(store, session, descriptor, options);
    if (options.unpack !== false) await image.unpack(options);
    return image;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** The name of an image in the store. */
function nameFor(reference: Reference, name: string | undefined): string {
  const named = name === undefined ? reference : parseReference(name);
  if (named.transport !== "registry" && name === undefined) {
    // Another directory may have another image by this path.
    return referenceText({ ...named, path: resolvePath(Deno.cwd(), named.path) });
  }
  if (named.transport !== "registry") {
    throw new ImageError(`${JSON.stringify(name)} is no name for an image in the store`, {
      code: "reference",
      advice: ["one is tool:latest"],
    });
  }
  return referenceText(named);
}

/** What is pulled. */
interface Wanted {
  readonly reference: Reference;
  /** Its name in the store. */
  readonly name: string;
  /** By which it has to be signed. */
  readonly key: PublicKey | undefined;
}

async function fetchImage(
  store: Store,
  session: Session,
  { reference, name, key }: Wanted,
  options: PullOptions,
): Promise<Descriptor> {
  const { signal, maxBytes = MOST_BYTES } = options;
  await using source = await openSource(reference, session, { ...options, maxBytes }, signal);
  const found = await source.find();
  const image = await describe(source, found, options.platform);
  if (key !== undefined) await verifySignature(source, reference, image.digests, key);
  await download(store, session, source, image, options);
  for (const { mediaType, bytes } of image.documents) {
    await store.addBytes(session, mediaType, bytes);
  }
  const descriptor: Descriptor = {
    mediaType: image.descriptor.mediaType,
    digest: image.descriptor.digest,
    size: image.descriptor.size,
    platform: stated(image.config.platform),
    annotations: {
      [NAME]: name,
      [ORIGIN]: found.length === 1 ? found[0]!.digest : image.descriptor.digest,
      [STORED]: new Date().toISOString(),
      ...(key !== undefined && { [VERIFIED]: key.fingerprint }),
    },
  };
  await store.name(session, descriptor, options.signal);
  return descriptor;
}

/** The platform of an image; one that says nothing is for this machine. */
function stated(platform: Platform): Platform {
  return platform.architecture === "" ? thisPlatform() : platform;
}

/** Reads the documents of an image, and checks what they say. */
async function describe(
  source: ImageSource,
  found: readonly Descriptor[],
  asked: string | undefined,
): Promise<Described> {
  const wanted = asked === undefined ? thisPlatform() : parsePlatform(asked);
  const { what } = source;
  let descriptor = found.length === 1 ? found[0]! : choosePlatform(what, found, wanted);
  const digests: string[] = [];
  for (let depth = 0; depth < DEEPEST; depth++) {
    digests.push(descriptor.digest);
    const bytes = await source.document(`the manifest of ${what}`, descriptor);
    const parsed = parseManifest(`the manifest of ${what}`, bytes, descriptor.mediaType);
    if (parsed.kind === "index") {
      descriptor = choosePlatform(what, parsed.manifests, wanted);
      continue;
    }
    checkRunnable(what, parsed);
    const configBytes = await source.document(`the configuration of ${what}`, parsed.config);
    const config = parseConfig(`the configuration of ${what}`, configBytes);
    checkLayers(what, parsed, config);
    checkPlatform(what, config.platform, wanted);
    return {
      descriptor: { ...descriptor, mediaType: parsed.mediaType, size: bytes.length },
      digests,
      manifest: parsed,
      config,
      documents: [
        { mediaType: parsed.config.mediaType, bytes: configBytes },
        { mediaType: parsed.mediaType, bytes },
      ],
    };
  }
  throw new ImageError(`${what} has indexes within indexes`, { code: "unsupported" });
}

function checkLayers(what: string, { layers }: Manifest, { diffIds }: ImageConfig): void {
  if (layers.length === diffIds.length) return;
  throw new ImageError(
    `${what} is not valid: its manifest has ${layers.length} layers, and its configuration ` +
      `${diffIds.length} diff_ids`,
    { code: "invalid" },
  );
}

/** Refuses layers that are larger than they may be, before any is downloaded. */
function checkSize(what: string, layers: readonly Descriptor[], maxBytes: number): void {
  const size = layers.reduce((sum, layer) => sum + layer.size, 0);
  if (size <= maxBytes) return;
  throw new ImageError(`the layers of ${what} have ${size} bytes, and ${maxBytes} are the most`, {
    code: "too-large",
    advice: ["allow more, if you want it: maxBytes, or --max-size"],
  });
}

/** Downloads the layers, some at once. */
async function download(
  store: Store,
  session: Session,
  source: ImageSource,
  { manifest, config, descriptor }: Described,
  { progress, signal, maxBytes = MOST_BYTES, maxStoreBytes }: PullOptions,
): Promise<void> {
  const layers = new Map(manifest.layers.map((layer) => [layer.digest, layer]));
  checkSize(source.what, [...layers.values()], maxBytes);
  if (maxStoreBytes !== undefined) {
    await checkRoom(store, source.what, [...layers.values()], maxStoreBytes);
  }
  await session.keep([descriptor.digest, manifest.config.digest, ...layers.keys()], signal);
  progress?.({
    kind: "layers",
    platform: platformText(stated(config.platform)),
    layers: [...layers.values()].map(({ digest, size }) => ({ digest, size })),
  });
  // The first that fails ends the others.
  const failed = new AbortController();
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const waiting = [...layers.values()];
  const work = async () => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      const { digest, size } = layer;
      const added = await store.add(session, layer, source.download(layer), {
        signal: either,
        progress: (bytes) => progress?.({ kind: "download", digest, bytes, size }),
      });
      progress?.({ kind: "downloaded", digest, size, isNew: added });
    }
  };
  const workers = Array.from({ length: Math.min(AT_ONCE, waiting.length) }, work);
  for (const worker of workers) worker.catch((error) => failed.abort(error));
  const outcomes = await Promise.allSettled(workers);
  const rejected = outcomes.find(({ status }) => status === "rejected");
  if (rejected?.status === "rejected") throw failed.signal.reason ?? rejected.reason;
}
