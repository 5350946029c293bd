/**
 * Directories as `skopeo copy ... dir:PATH` writes them: `manifest.json`, and blobs by their hashes.
 *
 * @module
 */

import { type Descriptor, DOCUMENT_LIMIT } from "../descriptor.ts";
import { checkBytes, digestOf, encodedOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { freed } from "../layer/memory.ts";
import { parseManifest } from "../manifest.ts";
import { type FileReference, referenceText } from "../reference.ts";
import type { Download } from "../store/blobs.ts";
import { type FileSet, readFileOf } from "./file_set.ts";
import type { ImageSource } from "./source.ts";

/** An image in a directory of skopeo's. */
export class DirectorySource implements ImageSource {
  readonly what: string;
  readonly #files: FileSet;
  readonly #reference: FileReference;
  #manifest: { digest: string; bytes: Uint8Array } | undefined;

  constructor(files: FileSet, reference: FileReference) {
    this.#files = files;
    this.#reference = reference;
    this.what = referenceText(reference);
  }

  async find(): Promise<readonly Descriptor[]> {
    if (await this.#files.size("manifest.json") === undefined) {
      throw new ImageError(
        `${this.#files.path} is no directory of an image: it has no manifest.json`,
        {
          code: "not-found",
          advice: await this.#files.size("index.json") === undefined
            ? []
            : [`it is an image layout: oci:${this.#files.path}`],
        },
      );
    }
    const bytes = await readFileOf(this.#files, "manifest.json", DOCUMENT_LIMIT);
    const digest = this.#reference.digest ?? digestOf(bytes);
    checkBytes(`the manifest of ${this.what}`, bytes, { digest });
    const { mediaType } = parseManifest(`the manifest of ${this.what}`, bytes);
    this.#manifest = { digest, bytes };
    return [{ mediaType, digest, size: bytes.length }];
  }

  async document(what: string, blob: Descriptor): Promise<Uint8Array> {
    if (blob.digest === this.#manifest?.digest) return this.#manifest.bytes;
    const bytes = await readFileOf(this.#files, await this.#name(blob), DOCUMENT_LIMIT);
    checkBytes(what, bytes, blob);
    return bytes;
  }

  /** Manifests of an index have an end of their name. */
  async #name({ digest }: Descriptor): Promise<string> {
    const name = encodedOf(digest);
    const manifest = `${name}.manifest.json`;
    return await this.#files.size(manifest) === undefined ? name : manifest;
  }

  download(blob: Descriptor): Download {
    return (offset) => freed(this.#files.parts(encodedOf(blob.digest), offset));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
