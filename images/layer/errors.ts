/**
 * What is wrong with a layer.
 *
 * @module
 */

import { RamekinError } from "../../ffi/errors.ts";

/**
 * What a {@linkcode LayerError} is about: its bytes are not what its digest, size or diff_id says; it
 * is broken; it is what cannot be unpacked here; it is larger than `maxBytes`.
 */
export type LayerErrorCode = "digest" | "invalid" | "unsupported" | "too-large";

/** The details of a {@linkcode LayerError}. */
export interface LayerErrorDetails extends ErrorOptions {
  readonly code: LayerErrorCode;
  /** The digest of the layer, if it is about one. */
  readonly layer?: string;
  readonly advice?: readonly string[];
}

/**
 * A layer that is not what it is said to be, or cannot be unpacked or written.
 *
 * @example
 * ```ts
 * import { LayerError, pull } from "@ramekin/ramekin/images";
 *
 * async function isWhole(reference: string): Promise<boolean> {
 *   try {
 *     await using _image = await pull(reference);
 *     return true;
 *   } catch (error) {
 *     if (!(error instanceof LayerError) || error.code !== "digest") throw error;
 *     console.log(`${error.layer} is damaged`);
 *     return false;
 *   }
 * }
 * ```
 */
export class LayerError extends RamekinError {
  /** `"LayerError"`. */
  override readonly name = "LayerError";
  /** What it is about. */
  readonly code: LayerErrorCode;
  /** The digest of the layer, if it is about one. */
  readonly layer: string | undefined;

  /** Creates an error with the details. */
  constructor(issue: string, { layer, code, ...options }: LayerErrorDetails) {
    super(layer === undefined ? issue : `layer ${layer}: ${issue}`, options);
    this.code = code;
    this.layer = layer;
  }
}

/** An archive that is no tar, or a broken one: what is wrong with it, without the layer's name. */
export class ArchiveError extends Error {
  /** `"ArchiveError"`. */
  override readonly name = "ArchiveError";
}
