/**
 * The error of an image.
 *
 * @module
 */

import { RamekinError, type RamekinErrorDetails } from "../ffi/errors.ts";

/** What an {@linkcode ImageError} is about: for programs that treat some errors in their own way. */
export type ImageErrorCode =
  /** The reference is not one. */
  | "reference"
  /** There is no such image, tag or blob. */
  | "not-found"
  /** The registry asks for a login, or refuses the one that it got. */
  | "denied"
  /** The registry, the network or a proxy has failed. */
  | "network"
  /** What came is not what its digest or size says. */
  | "digest"
  /** A manifest, an index, a configuration or a layer is not valid. */
  | "invalid"
  /** It has no signature that is wanted, or the key for it is not one. */
  | "signature"
  /** It is larger than `maxBytes`. */
  | "too-large"
  /** It is valid, and of a kind that this module does not handle. */
  | "unsupported"
  /** There is no image for the platform. */
  | "platform"
  /** The store is damaged, or not one. */
  | "store"
  /** The image, or what is in it, is in use. */
  | "in-use";

/** The details of an {@linkcode ImageError}. */
export interface ImageErrorDetails extends Pick<RamekinErrorDetails, "cause" | "advice"> {
  /** What it is about. */
  readonly code: ImageErrorCode;
}

/**
 * An image that cannot be had, or is not what it should be. The message names it, and what to do.
 *
 * @example
 * ```ts
 * import { ImageError, parseReference } from "@ramekin/ramekin/images";
 *
 * try {
 *   parseReference("Debian:12");
 * } catch (error) {
 *   if (!(error instanceof ImageError)) throw error;
 *   console.log(error.code); // reference
 * }
 * ```
 */
export class ImageError extends RamekinError {
  /** `"ImageError"`. */
  override readonly name = "ImageError";
  /** What it is about. */
  readonly code: ImageErrorCode;

  /** Creates an error with the details. */
  constructor(issue: string, { code, ...details }: ImageErrorDetails) {
    super(issue, details);
    this.code = code;
  }
}
