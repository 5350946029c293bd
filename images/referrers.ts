/**
 * What refers to an image in its registry: signatures, attestations, lists of what it is made of.
 *
 * @module
 */

import { type Descriptor, DOCUMENT_LIMIT } from "./descriptor.ts";
import { ImageError } from "./errors.ts";
import { parseReference } from "./reference.ts";
import type { RegistryOptions } from "./registry/options.ts";
import { referringTo, signatureTag } from "./registry/referring.ts";
import { Repository } from "./registry/repository.ts";

/** Something that refers to an image. */
export interface Referrer extends Descriptor {
  /** What it is: a signature by cosign or Notation, or something else. */
  readonly kind: "cosign" | "notation" | "other";
}

/** Options of {@linkcode referrers}. */
export interface ReferrerOptions extends RegistryOptions {
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** The artifact types of signatures. */
const NOTATION = "application/vnd.cncf.notary.signature";
const COSIGN = /^application\/vnd\.dev\.(cosign|sigstore)\./;

/**
 * Returns what refers to an image of a registry: by the interface for it, or where the registry has none
 * by the tags that tools use in its place. That a signature is there says nothing of whether it is valid.
 *
 * @param name the image by its digest, or by a tag
 * @throws {ImageError} where there is no such image, or it is in no registry
 *
 * @example
 * ```ts
 * import { referrers } from "@ramekin/ramekin/images";
 *
 * const isSigned = async () =>
 *   (await referrers("registry.example/tool:1")).some(({ kind }) => kind !== "other");
 * ```
 */
export async function referrers(
  name: string,
  options: ReferrerOptions = {},
): Promise<readonly Referrer[]> {
  const reference = parseReference(name);
  if (reference.transport !== "registry") {
    throw new ImageError(`${name} is in no registry, and nothing can refer to it`, {
      code: "reference",
    });
  }
  const { registry, repository, tag, digest } = reference;
  using place = await Repository.open(registry, repository, options, options.signal);
  const of = digest ??
    (await place.manifest(`the manifest of ${name}`, tag!, DOCUMENT_LIMIT)).descriptor.digest;
  const found = await referringTo(place, of);
  const signature = await signatureTag(place, of);
  return [
    ...found.map((descriptor) => ({ ...descriptor, kind: kindOf(descriptor) })),
    ...(signature === undefined ? [] : [{ ...signature.descriptor, kind: "cosign" as const }]),
  ];
}

function kindOf({ artifactType = "" }: Descriptor): Referrer["kind"] {
  if (artifactType === NOTATION) return "notation";
  return COSIGN.test(artifactType) ? "cosign" : "other";
}
