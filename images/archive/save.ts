/**
 * Writes images of the store as an archive that every engine loads: an image layout, and beside it the
 * `manifest.json` of docker's archives, over the same files.
 *
 * @module
 */

import { algorithmOf, encodedOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import type { Image } from "../image.ts";
import { END_OF_ARCHIVE, headerOf, paddingOf } from "../layer/mod.ts";
import { OCI_INDEX } from "../media_types.ts";
import {
  parseReference,
  referenceText,
  type RegistryReference,
  shortReference,
} from "../reference.ts";
import { partsOf } from "../sources/file_set.ts";
import { writeAll } from "../store/files.ts";
import { NAME } from "../store/index_file.ts";

/** Options of {@linkcode save}. */
export interface SaveOptions {
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** Something that an archive is written to: an open file, or the standard output. */
export interface ArchiveOutput {
  /** Writes some of the bytes, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Writes images as an archive, which `docker load`, `podman load`, `skopeo` and `ramekin load` read. The
 * same images give the same bytes.
 *
 * @example
 * ```ts
 * import { image, save } from "@ramekin/ramekin/images";
 *
 * const archive = async () => {
 *   await using debian = await image("debian:12");
 *   using file = await Deno.create("debian.tar");
 *   await save([debian], file);
 * };
 * ```
 */
export async function save(
  images: readonly Image[],
  output: ArchiveOutput,
  { signal }: SaveOptions = {},
): Promise<void> {
  if (images.length === 0) throw new ImageError("no image is to be saved", { code: "invalid" });
  const archive = new ArchiveWriter(output, signal);
  await archive.text("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
  await archive.text("index.json", JSON.stringify(indexOf(images)));
  await archive.text("manifest.json", JSON.stringify(images.map(archivedImage)));
  const digests = images.flatMap(({ digest, manifest: { config, layers } }) =>
    [
      digest,
      config.digest,
      ...layers.map(({ digest }) => digest),
    ].map((blob) => [blob, images.find((image) => image.digest === digest)!] as const)
  );
  for (const [digest, image] of new Map(digests.toSorted(([a], [b]) => a < b ? -1 : 1))) {
    await archive.file(nameOf(digest), image.blobPath(digest));
  }
  await archive.end();
}

function indexOf(images: readonly Image[]): unknown {
  return {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: images.map((image) => ({
      mediaType: image.manifest.mediaType,
      digest: image.digest,
      size: image.manifestSize,
      ...(image.name !== image.digest && { annotations: annotationsOf(image) }),
    })),
  };
}

function annotationsOf(image: Image): Readonly<Record<string, string>> {
  const reference = engineName(image);
  return {
    [NAME]: image.name,
    ...(reference !== undefined && { "io.containerd.image.name": referenceText(reference) }),
  };
}

function archivedImage(image: Image): unknown {
  const { manifest: { config, layers } } = image;
  const reference = engineName(image);
  return {
    Config: nameOf(config.digest),
    RepoTags: reference === undefined ? null : [shortReference(reference)],
    Layers: layers.map(({ digest }) => nameOf(digest)),
  };
}

/** The name that an engine gives the image: none by digest, of files, or a mere tag in a layout. */
function engineName({ name }: Image): RegistryReference | undefined {
  if (!/[:/]/.test(name)) return undefined;
  const reference = parseReference(name);
  if (reference.transport !== "registry" || reference.digest !== undefined) return undefined;
  return reference;
}

function nameOf(digest: string): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

/** Writes the files of an archive one after another. */
class ArchiveWriter {
  readonly #output: ArchiveOutput;
  readonly #signal: AbortSignal | undefined;

  constructor(output: ArchiveOutput, signal: AbortSignal | undefined) {
    this.#output = output;
    this.#signal = signal;
  }

  async text(name: string, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await this.#header(name, bytes.length);
    await this.#write(bytes);
    await this.#write(paddingOf(bytes.length));
  }

  async file(name: string, path: string): Promise<void> {
    const { size } = await Deno.stat(path);
    await this.#header(name, size);
    for await (const part of partsOf(path, 0, size)) await this.#write(part);
    await this.#write(paddingOf(size));
  }

  async end(): Promise<void> {
    await this.#write(END_OF_ARCHIVE);
  }

  async #header(name: string, size: number): Promise<void> {
    const entry = { name, kind: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0, size } as const;
    for (const part of headerOf(entry)) await this.#write(part);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#signal?.throwIfAborted();
    await writeAll(this.#output, bytes);
  }
}
