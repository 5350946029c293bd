/**
 * Finds the signatures that a registry has of an image: those of cosign's tag, and those that refer to it.
 *
 * @module
 */

import { type Descriptor, DOCUMENT_LIMIT } from "../descriptor.ts";
import { parseManifest } from "../manifest.ts";
import { referringTo, signatureTag } from "../registry/referring.ts";
import type { Repository } from "../registry/repository.ts";
import { type FoundSignature, isSignature, readSignature } from "./signature.ts";

/** The most artifacts, and signatures of each, that are looked at. */
const MOST = 100;
/** The most bytes of a signature. */
const MOST_BYTES = 1 << 20;

/** Artifacts that may be signatures of cosign: some registries have the type of the configuration. */
const ARTIFACTS =
  /^(|application\/vnd\.dev\.(cosign\.artifact\.sig|sigstore\.bundle)\..*|application\/vnd\.oci\.(empty|image\.config)\.v1\+json)$/;

/** Gives the signatures of a manifest. */
export async function* signaturesIn(
  place: Repository,
  digest: string,
): AsyncGenerator<FoundSignature> {
  const tagged = await signatureTag(place, digest);
  if (tagged !== undefined) yield* signaturesOf(place, digest, tagged.bytes);
  const referring = (await referringTo(place, digest))
    .filter(({ artifactType = "" }) => ARTIFACTS.test(artifactType));
  for (const descriptor of referring.slice(0, MOST)) {
    const what = `the artifact ${descriptor.digest}`;
    const bytes = await place.document(what, descriptor, DOCUMENT_LIMIT);
    yield* signaturesOf(place, digest, bytes);
  }
}

/** The signatures in an artifact. */
function* signaturesOf(
  place: Repository,
  digest: string,
  manifest: Uint8Array,
): Generator<FoundSignature> {
  const parsed = parseManifest(`a signature of ${digest}`, manifest);
  const layers = parsed.kind === "index" ? [] : parsed.layers.filter(isSignature);
  for (const layer of layers.slice(0, MOST)) yield { read: () => fetched(place, layer) };
}

async function fetched(place: Repository, layer: Descriptor) {
  const what = `the signature ${layer.digest}`;
  const bytes = await place.document(what, layer, MOST_BYTES);
  return readSignature(what, layer, new Uint8Array(bytes));
}
