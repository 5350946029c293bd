/**
 * Image layouts of the OCI: a directory or an archive with `index.json` and `blobs`.
 *
 * @module
 */

import { type Descriptor, DOCUMENT_LIMIT } from "../descriptor.ts";
import { algorithmOf, checkBytes, encodedOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { freed } from "../layer/memory.ts";
import { parseManifest } from "../manifest.ts";
import { OCI_INDEX } from "../media_types.ts";
import { type FileReference, parseReference, referenceText } from "../reference.ts";
import type { Download } from "../store/blobs.ts";
import { NAME } from "../store/index_file.ts";
import { type FileSet, readFileOf } from "./file_set.ts";
import type { ImageSource } from "./source.ts";

/** An image in a layout. */
export class LayoutSource implements ImageSource {
  readonly what: string;
  readonly #files: FileSet;
  readonly #reference: FileReference;

  constructor(files: FileSet, reference: FileReference) {
    this.#files = files;
    this.#reference = reference;
    this.what = referenceText(reference);
  }

  async find(): Promise<readonly Descriptor[]> {
    return this.#choose(await this.#manifests());
  }

  /** The names of all images in the layout. */
  async names(): Promise<readonly string[]> {
    const names = (await this.#manifests()).flatMap((it) => namesOf(it)[0] ?? []);
    return [...new Set(names)];
  }

  async #manifests(): Promise<readonly Descriptor[]> {
    const { path } = this.#files;
    if (await this.#files.size("index.json") === undefined) {
      throw new ImageError(`${path} is no image layout: it has no index.json`, {
        code: "not-found",
        advice: [await this.#otherKind()].filter((line) => line !== undefined),
      });
    }
    const bytes = await readFileOf(this.#files, "index.json", DOCUMENT_LIMIT);
    const index = parseManifest(`${path}/index.json`, bytes, OCI_INDEX);
    if (index.kind === "index") return index.manifests;
    throw new ImageError(`${path}/index.json is no index`, { code: "invalid" });
  }

  #choose(manifests: readonly Descriptor[]): readonly Descriptor[] {
    const { image, digest } = this.#reference;
    const found = manifests.filter((manifest) =>
      digest !== undefined
        ? manifest.digest === digest
        : image === undefined || isNamed(manifest, image)
    );
    const names = new Set(found.map((manifest) => manifest.annotations?.[NAME]));
    if (found.length > 0 && names.size === 1) return found;
    // Only one has no name that another has not.
    const all = manifests.flatMap((it) => it.annotations?.[NAME] ?? []);
    const listed = all.length === 0 ? "it has none with a name" : `it has ${all.join(", ")}`;
    if (digest !== undefined && found.length > 0) return found.slice(0, 1);
    throw new ImageError(
      found.length > 0
        ? `${this.what} is one of several images, and none is named`
        : `there is no ${this.what}`,
      { code: "not-found", advice: [`${listed}; name one as oci:PATH:NAME`] },
    );
  }

  async #otherKind(): Promise<string | undefined> {
    if (await this.#files.size("manifest.json") === undefined) return undefined;
    return await this.#files.size("version") === undefined
      ? `it is an archive of docker's: docker-archive:${this.#files.path}`
      : `it is a directory of skopeo's: dir:${this.#files.path}`;
  }

  async document(what: string, blob: Descriptor): Promise<Uint8Array> {
    const bytes = await readFileOf(this.#files, nameOf(blob.digest), DOCUMENT_LIMIT);
    checkBytes(what, bytes, blob);
    return bytes;
  }

  download(blob: Descriptor): Download {
    return (offset) => freed(this.#files.parts(nameOf(blob.digest), offset));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The names of a manifest, a whole reference first; docker has a mere tag beside that. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  return ["io.containerd.image.name", NAME].flatMap((key) => annotations?.[key] ?? []);
}

/** Whether a manifest has the name: as a tag, or a whole reference. */
function isNamed(manifest: Descriptor, image: string): boolean {
  return namesOf(manifest).some((name) =>
    name === image || wholeName(name) === wholeName(image) || name.endsWith(`:${image}`)
  );
}

function wholeName(name: string): string {
  try {
    return referenceText(parseReference(name));
  } catch {
    return name;
  }
}

function nameOf(digest: string): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}
