/**
 * What refers to an image in its registry: signatures, attestations, lists of what it is made of.
 *
 * @module
 */

import { type Descriptor, DOCUMENT_LIMIT } from "./descriptor.ts";
import { algorithmOf, encodedOf } from "./digest.ts";
import { ImageError } from "./errors.ts";
import { parseManifest } from "./manifest.ts";
import { OCI_INDEX } from "./media_types.ts";
import { parseReference } from "./reference.ts";
import { discard, readBody } from "./registry/http.ts";
import type { RegistryOptions } from "./registry/options.ts";
import { type FoundManifest, Repository } from "./registry/repository.ts";

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
  const found = await listed(place, of) ?? await tagged(place, of);
  const signature = await optional(place, `${tagOf(of)}.sig`);
  return [
    ...found.map((descriptor) => ({ ...descriptor, kind: kindOf(descriptor) })),
    ...(signature === undefined ? [] : [{ ...signature.descriptor, kind: "cosign" as const }]),
  ];
}

/** What the registry lists; `undefined` where it has no such interface. */
async function listed(
  place: Repository,
  digest: string,
): Promise<readonly Descriptor[] | undefined> {
  const { connection, name, pulling } = place;
  const what = `what refers to ${digest}`;
  const found: Descriptor[] = [];
  let path: string | URL | undefined = `${name}/referrers/${digest}`;
  while (path !== undefined) {
    const response: Response = await connection.request({
      method: "GET",
      path,
      scope: pulling,
      headers: { accept: OCI_INDEX },
      expects: [200, 400, 404, 405],
      what,
    });
    if (response.status !== 200) {
      await discard(response);
      return undefined;
    }
    const bytes = await readBody(what, response, DOCUMENT_LIMIT, connection.idleTimeout);
    found.push(...manifestsIn(what, bytes));
    path = await nextOf(response, place);
  }
  return found;
}

/** The address of the rest of a list. */
async function nextOf(response: Response, place: Repository): Promise<URL | undefined> {
  const link = /<([^>]+)>;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
  return link === undefined ? undefined : new URL(link, await place.connection.base());
}

/** What an index lists that has the digest as its tag. */
async function tagged(place: Repository, digest: string): Promise<readonly Descriptor[]> {
  const found = await optional(place, tagOf(digest));
  return found === undefined ? [] : manifestsIn(`what refers to ${digest}`, found.bytes);
}

function tagOf(digest: string): string {
  return `${algorithmOf(digest)}-${encodedOf(digest)}`;
}

async function optional(place: Repository, tag: string): Promise<FoundManifest | undefined> {
  try {
    return await place.manifest(`the tag ${tag}`, tag, DOCUMENT_LIMIT);
  } catch (error) {
    if (error instanceof ImageError && error.code === "not-found") return undefined;
    throw error;
  }
}

function manifestsIn(what: string, bytes: Uint8Array): readonly Descriptor[] {
  const parsed = parseManifest(what, bytes, OCI_INDEX);
  return parsed.kind === "index" ? parsed.manifests : [];
}

function kindOf({ artifactType = "" }: Descriptor): Referrer["kind"] {
  if (artifactType === NOTATION) return "notation";
  return COSIGN.test(artifactType) ? "cosign" : "other";
}
