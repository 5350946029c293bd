/**
 * Where images come from: a registry, or files.
 *
 * @module
 */

import type { Descriptor } from "../descriptor.ts";
import type { FoundSignature } from "../signatures/signature.ts";
import type { Download } from "../store/blobs.ts";

/** A place that has an image. */
export interface ImageSource extends AsyncDisposable {
  /** What the image is called in errors. */
  readonly what: string;

  /**
   * Finds the image: its manifest or index, or several manifests from which the platform chooses.
   *
   * @throws {ImageError} where there is none
   */
  find(): Promise<readonly Descriptor[]>;

  /**
   * Returns a manifest, an index or a configuration. It is checked already.
   *
   * @throws {ImageError} where it is not there, or not what its digest says
   */
  document(what: string, blob: Descriptor): Promise<Uint8Array>;

  /** Gives the bytes of a blob, which the caller checks. */
  download(blob: Descriptor): Download;

  /** Gives the signatures of a manifest, which the caller verifies. Files have no place for any. */
  readonly signatures?: ((digest: string) => AsyncIterable<FoundSignature>) | undefined;
}
