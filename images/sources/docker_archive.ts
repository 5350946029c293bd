/**
 * Archives as `docker save` and `podman save` write them: `manifest.json`, a configuration and the layers,
 * which have no manifest by which they could be checked but the diff_ids of the configuration.
 *
 * @module
 */

import { parseConfig } from "../config.ts";
import { type Descriptor, DOCUMENT_LIMIT, isObject } from "../descriptor.ts";
import { checkBytes, digestOf, hashFor } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { freed } from "../layer/memory.ts";
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from "../media_types.ts";
import { type FileReference, parseReference, referenceText } from "../reference.ts";
import type { Download } from "../store/blobs.ts";
import { type FileSet, readFileOf } from "./file_set.ts";
import type { ImageSource } from "./source.ts";

/** An image of `manifest.json`. */
interface ArchivedImage {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

/** An image in an archive of docker's. */
export class DockerArchiveSource implements ImageSource {
  readonly what: string;
  readonly #files: FileSet;
  readonly #reference: FileReference;
  readonly #documents = new Map<string, Uint8Array>();
  readonly #layers = new Map<string, string>();

  constructor(files: FileSet, reference: FileReference) {
    this.#files = files;
    this.#reference = reference;
    this.what = referenceText(reference);
  }

  async find(): Promise<readonly Descriptor[]> {
    const image = this.#choose(await this.#images());
    const config = await readFileOf(this.#files, image.config, DOCUMENT_LIMIT);
    const { diffIds } = parseConfig(`the configuration of ${this.what}`, config);
    if (diffIds.length !== image.layers.length) {
      throw new ImageError(
        `${this.what} has ${image.layers.length} layers, and ${diffIds.length} diff_ids`,
        { code: "invalid" },
      );
    }
    const layers: Descriptor[] = [];
    for (const [index, name] of image.layers.entries()) {
      layers.push(await this.#layer(name, diffIds[index]!));
    }
    const manifest = new TextEncoder().encode(JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: this.#keep(OCI_CONFIG, config),
      layers,
    }));
    const found = this.#keep(OCI_MANIFEST, manifest);
    const { digest } = this.#reference;
    if (digest !== undefined) checkBytes(`the manifest of ${this.what}`, manifest, { digest });
    return [found];
  }

  /** The names of all images in the archive. */
  async names(): Promise<readonly string[]> {
    return (await this.#images()).flatMap(({ names }) => names);
  }

  #keep(mediaType: string, bytes: Uint8Array): Descriptor {
    const digest = digestOf(bytes);
    this.#documents.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async #images(): Promise<readonly ArchivedImage[]> {
    const { path } = this.#files;
    if (await this.#files.size("manifest.json") === undefined) {
      const isLayout = await this.#files.size("index.json") !== undefined;
      throw new ImageError(`${path} is no archive of docker's: it has no manifest.json`, {
        code: "not-found",
        advice: isLayout ? [`it has an image layout: oci-archive:${path}`] : [],
      });
    }
    const bytes = await readFileOf(this.#files, "manifest.json", DOCUMENT_LIMIT);
    const images: unknown = parse(bytes);
    if (!Array.isArray(images) || !images.every(isArchived)) {
      throw new ImageError(`manifest.json in ${path} is not one of docker's`, { code: "invalid" });
    }
    return images.map((image) => ({
      config: image["Config"] as string,
      names: image["RepoTags"] as string[] | null ?? [],
      layers: image["Layers"] as string[],
    }));
  }

  #choose(images: readonly ArchivedImage[]): ArchivedImage {
    const { image } = this.#reference;
    const wanted = image === undefined
      ? images
      : images.filter(({ names }) => names.some((name) => wholeName(name) === wholeName(image)));
    if (wanted.length === 1) return wanted[0]!;
    const names = images.flatMap(({ names }) => names).join(", ") || "none with a name";
    throw new ImageError(
      wanted.length === 0 ? `there is no ${this.what}` : `${this.what} is one of several images`,
      { code: "not-found", advice: [`it has ${names}; name one as docker-archive:PATH:NAME`] },
    );
  }

  /** Its digest is its diff_id, unless it is compressed. */
  async #layer(name: string, diffId: string): Promise<Descriptor> {
    const size = await this.#files.size(name);
    if (size === undefined) {
      throw new ImageError(`${this.what} has no layer ${name}`, { code: "invalid" });
    }
    const compression = await this.#compression(name);
    const digest = compression === undefined ? diffId : await this.#digest(name);
    this.#layers.set(digest, name);
    const end = compression === undefined ? "" : `+${compression}`;
    return { mediaType: `${OCI_LAYER}${end}`, digest, size };
  }

  async #compression(name: string): Promise<"gzip" | "zstd" | undefined> {
    for await (const [one, two, three, four] of this.#files.parts(name)) {
      if (one === 0x1f && two === 0x8b) return "gzip";
      if (one === 0x28 && two === 0xb5 && three === 0x2f && four === 0xfd) return "zstd";
      return undefined;
    }
    return undefined;
  }

  async #digest(name: string): Promise<string> {
    const hash = hashFor("sha256:");
    for await (const part of this.#files.parts(name)) hash.update(part);
    return `sha256:${hash.digest("hex")}`;
  }

  document(what: string, blob: Descriptor): Promise<Uint8Array> {
    const bytes = this.#documents.get(blob.digest);
    if (bytes !== undefined) return Promise.resolve(bytes);
    throw new ImageError(`${what} is not in ${this.#files.path}`, { code: "not-found" });
  }

  download(blob: Descriptor): Download {
    const name = this.#layers.get(blob.digest) ?? blob.digest;
    return (offset) => freed(this.#files.parts(name, offset));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function isArchived(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false;
  const { Config: config, RepoTags: names, Layers: layers } = value;
  const isList = (list: unknown) =>
    Array.isArray(list) && list.every((item) => typeof item === "string");
  return typeof config === "string" && (names === null || names === undefined || isList(names)) &&
    isList(layers);
}

function wholeName(name: string): string {
  try {
    return referenceText(parseReference(name));
  } catch {
    return name;
  }
}
