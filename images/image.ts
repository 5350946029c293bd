/**
 * An image of the store.
 *
 * @module
 */

import type { Command } from "../container/command.ts";
import type { CommandOptions } from "../container/command_options.ts";
import { type Recipe, recipe } from "../container/recipe.ts";
import type { Step } from "../recipe/steps.ts";
import { type ImageConfig, parseConfig } from "./config.ts";
import type { Descriptor, Platform } from "./descriptor.ts";
import { ImageError } from "./errors.ts";
import { type IdMaps, type UnpackSummary, writeLayer } from "./layer/mod.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { isUnmappable, mappedOwners, ONE, type Owners, ownersHere } from "./owners.ts";
import type { ProgressReporter } from "./progress.ts";
import { containerSteps } from "./run/container_steps.ts";
import { type ImageProcess, processOf, type ProcessOptions } from "./run/process.ts";
import {
  type FilesOfNetwork,
  MOUNTED_FILES,
  type RootOptions,
  rootSteps,
} from "./run/root_steps.ts";
import { NAME, ORIGIN, VERIFIED } from "./store/index_file.ts";
import type { Session } from "./store/session.ts";
import type { Store } from "./store/store.ts";
import { unpack, type UnpackedRoot, type UnpackRequest } from "./unpack.ts";

/** A layer of an image. */
export interface ImageLayer {
  /** The digest of the blob. */
  readonly digest: string;
  /** The digest of the archive in it, not compressed. */
  readonly diffId: string;
  /** The size of the blob in bytes. */
  readonly size: number;
  /** What it is. */
  readonly mediaType: string;
}

/** In which ids the files of an image are unpacked and its programs run. */
export interface IdOptions {
  /**
   * A user namespace with these ids. Without it, root takes the image's ids on this machine; an ordinary
   * user those that /etc/subuid and /etc/subgid give, or else one id for all.
   */
  readonly ids?: IdMaps | undefined;
}

/** How large an image may be. */
export interface SizeOptions {
  /**
   * The most bytes of its layers together, before any is downloaded; and once more of the archives in
   * them, while they are unpacked.
   *
   * @default {34_359_738_368}
   */
  readonly maxBytes?: number | undefined;
}

/** How large the store may be. */
export interface StoreSizeOptions {
  /**
   * The most bytes of the store: of all layers in it, and of the archives that are unpacked there. A pull for
   * which there is no room is refused before anything is downloaded. Without it there is no bound.
   */
  readonly maxStoreBytes?: number | undefined;
}

/** What images have at most, unless they may have more: 32 GiB. */
export const MOST_BYTES = 32 * 2 ** 30;

/** What a container of an image is made by. */
export interface RunOptions extends RootOptions, ProcessOptions {}

/**
 * An image of the store, by `pull()` or `storedImage()`. What it consists of is not removed from the
 * store until it is disposed of, or the script ends.
 *
 * @example
 * ```ts
 * import { image } from "@ramekin/ramekin/images";
 *
 * const ports = async () => {
 *   await using server = await image("nginx");
 *   return (await server.process()).exposedPorts;
 * };
 * ```
 */
export class Image implements AsyncDisposable {
  /** Its name in the store: `docker.io/library/debian:12`. */
  readonly name: string;
  /** The digest of its manifest. */
  readonly digest: string;
  /** The digest that the name has where the image came from: that of an index, perhaps. */
  readonly origin: string;
  /** The fingerprint of the key by which its signature was verified when it was stored. */
  readonly verified: string | undefined;
  /** What it is for. */
  readonly platform: Platform;
  /** The bytes of its layers, as they are stored. */
  readonly size: number;
  /** Its layers, the lowest first. */
  readonly layers: readonly ImageLayer[];
  /** The manifest, as it was checked. */
  readonly manifest: Manifest;
  /** The bytes of the manifest. */
  readonly manifestSize: number;
  /** How its program is started, and what else is said of it. */
  readonly config: ImageConfig;
  readonly #store: Store;
  readonly #session: Session;
  readonly #ids: IdMaps | undefined;
  readonly #maxBytes: number;
  #owners: Owners;
  #root: Promise<UnpackedRoot> | undefined;

  private constructor(
    store: Store,
    session: Session,
    descriptor: Descriptor,
    manifest: Manifest,
    config: ImageConfig,
    { ids, maxBytes = MOST_BYTES }: IdOptions & SizeOptions,
  ) {
    this.#ids = ids;
    this.#maxBytes = maxBytes;
    this.#owners = ids === undefined ? ownersHere() : mappedOwners(ids);
    this.#store = store;
    this.#session = session;
    this.manifest = manifest;
    this.manifestSize = descriptor.size;
    this.name = descriptor.annotations?.[NAME] ?? descriptor.digest;
    this.digest = descriptor.digest;
    this.origin = descriptor.annotations?.[ORIGIN] ?? descriptor.digest;
    this.verified = descriptor.annotations?.[VERIFIED];
    this.platform = descriptor.platform ?? config.platform;
    this.config = config;
    this.layers = manifest.layers.map(({ digest, size, mediaType }, index) => ({
      digest,
      size,
      mediaType,
      diffId: config.diffIds[index]!,
    }));
    this.size = this.layers.reduce((sum, { size }) => sum + size, 0);
  }

  /** Opens an image of the store; the session becomes its own. Use `pull()` or `storedImage()`. */
  static async open(
    store: Store,
    session: Session,
    descriptor: Descriptor,
    options: IdOptions & SizeOptions = {},
  ): Promise<Image> {
    const what = descriptor.annotations?.[NAME] ?? descriptor.digest;
    await session.keep([descriptor.digest]);
    const bytes = await store.document(`the manifest of ${what}`, descriptor);
    const manifest = parseManifest(`the manifest of ${what}`, bytes, descriptor.mediaType);
    if (manifest.kind === "index") {
      throw new ImageError(`${what} is an index in the store, which no image is`, {
        code: "store",
      });
    }
    await session.keep(
      [manifest, ...manifest.layers].map((part) =>
        "config" in part ? part.config.digest : part.digest
      ),
    );
    const config = await store.document(`the configuration of ${what}`, manifest.config);
    return new Image(
      store,
      session,
      descriptor,
      manifest,
      parseConfig(`the configuration of ${what}`, config),
      options,
    );
  }

  /**
   * Unpacks it, unless that is done, and returns what was left out or changed: device files that an
   * ordinary user cannot make, owners.
   *
   * @throws {ImageError} where a layer is not what the configuration says
   */
  async unpack(
    options: { readonly progress?: ProgressReporter; readonly signal?: AbortSignal } = {},
  ): Promise<UnpackSummary> {
    return (await this.#unpacked(options)).summary as UnpackSummary;
  }

  #unpacked(
    { progress, signal }: { progress?: ProgressReporter; signal?: AbortSignal } = {},
  ): Promise<UnpackedRoot> {
    return this.#root ??= this.#unpack({ progress, signal }).catch((error) => {
      this.#root = undefined;
      throw error;
    });
  }

  async #unpack(options: Pick<UnpackRequest, "progress" | "signal">): Promise<UnpackedRoot> {
    const { config, layers } = this;
    const request = { config, layers, maxBytes: this.#maxBytes, ...options };
    try {
      return await unpack(this.#store, this.#session, { ...request, owners: this.#owners });
    } catch (error) {
      // The ids that /etc/subuid gives may not be had: newuidmap has lost its privilege, for example.
      if (!isUnmappable(error) || this.#ids !== undefined) throw error;
      this.#owners = ONE;
      return await unpack(this.#store, this.#session, { ...request, owners: ONE });
    }
  }

  /**
   * The directory of its unpacked files. Nothing may be changed in it, as all containers of the image
   * share it.
   */
  async directory(): Promise<string> {
    return this.#store.roots.path((await this.#unpacked()).name);
  }

  /**
   * Returns the program of the image: how `command()` starts it.
   *
   * @param words the arguments of the entry point, in place of the image's own
   * @throws {ImageError} where there is none, or the image does not know the user
   */
  async process(
    words: readonly string[] = [],
    options: ProcessOptions = {},
  ): Promise<ImageProcess> {
    return processOf(this.config, await this.directory(), words, options);
  }

  /**
   * Returns the steps that make the image's files the root, with /dev, /proc, /sys and the files of the
   * network, for a recipe with namespaces of mounts, pids and ipc, and of the network unless `net` is
   * `"host"`.
   *
   * @throws {ImageError} where an option is not valid
   *
   * @example
   * ```ts
   * import { mapRoot, recipe, unshare } from "@ramekin/ramekin";
   * import { pull } from "@ramekin/ramekin/images";
   *
   * const box = async () => {
   *   const image = await pull("debian:12");
   *   return recipe(
   *     unshare("user", "mount", "pid", "ipc", "net"),
   *     mapRoot(),
   *     ...await image.root({ discard: true }),
   *   );
   * };
   * ```
   */
  async root(options: RootOptions = {}): Promise<readonly Step[]> {
    return await this.#rootSteps(options, { cwd: "/", volumes: this.config.volumes });
  }

  async #rootSteps(
    options: RootOptions,
    process: Pick<ImageProcess, "cwd" | "volumes">,
    files?: FilesOfNetwork,
  ): Promise<readonly Step[]> {
    const { name } = await this.#unpacked();
    const { roots } = this.#store;
    const root = { path: roots.path(name), marker: roots.marker(name) };
    return await rootSteps(root, this.#session, options, process, files);
  }

  /**
   * Returns the recipe of a container of the image: its root, namespaces, the user, the environment, the
   * working directory, and the limits of docker's containers; the program can gain no privileges.
   *
   * @throws {ImageError} where an option is not valid
   */
  async recipe(options: RunOptions = {}): Promise<Recipe> {
    return recipe(...await this.#containerSteps(await this.process(["sh"], options), options));
  }

  async #containerSteps(
    process: ImageProcess,
    options: RunOptions,
    files?: FilesOfNetwork,
  ): Promise<readonly Step[]> {
    const root = await this.#rootSteps(options, process, files);
    return containerSteps(root, process, this.#owners, options);
  }

  /**
   * Returns a command for the image's program, in a container of it.
   *
   * @param words the arguments of the entry point, in place of the image's own
   * @throws {ImageError} where there is no program, or an option is not valid
   */
  async command(
    words: readonly string[] = [],
    options: RunOptions & { readonly command?: Omit<CommandOptions, "args"> } = {},
  ): Promise<Command> {
    const process = await this.process(words, options);
    const [program, ...args] = process.args;
    const box = recipe(...await this.#containerSteps(process, options, "written"));
    return box.command(program!, { ...options.command, args });
  }

  /** Writes what a container of it has changed as a layer to a new file. */
  async writeChanges(
    upper: string,
    file: string,
    options: {
      readonly epoch?: number | undefined;
      readonly signal?: AbortSignal | undefined;
      readonly maxBytes?: number | undefined;
    },
  ): Promise<{ readonly digest: string; readonly size: number; readonly diffId: string }> {
    const { epoch, signal, maxBytes = MOST_BYTES } = options;
    await this.#unpacked();
    return await this.#owners.using((owners) =>
      writeLayer(upper, file, {
        owners,
        maxBytes,
        exclude: MOUNTED_FILES.map((path) => path.slice(1)),
        ...(epoch !== undefined && { epoch }),
        ...(signal !== undefined && { signal }),
      })
    );
  }

  /** The directory of the store that it is in. */
  get store(): string {
    return this.#store.directory;
  }

  /** The bytes of its configuration, as they are in the store. */
  async configBytes(): Promise<Uint8Array<ArrayBuffer>> {
    const what = `the configuration of ${this.name}`;
    return new Uint8Array(await this.#store.document(what, this.manifest.config));
  }

  /** The path of one of its blobs, which is not to be changed. */
  blobPath(digest: string): string {
    return this.#store.blobs.path(digest);
  }

  /** The bytes of its manifest, as they are in the store. */
  async manifestBytes(): Promise<Uint8Array<ArrayBuffer>> {
    const size = this.manifestSize;
    const what = `the manifest of ${this.name}`;
    return new Uint8Array(await this.#store.document(what, { digest: this.digest, size }));
  }

  /** Lets go of it: it may be removed from the store then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}
