/**
 * What a registry has that refers to a manifest: by the interface for it, or by tags.
 *
 * @module
 */

import { type Descriptor, DOCUMENT_LIMIT } from "../descriptor.ts";
import { algorithmOf, encodedOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { parseManifest } from "../manifest.ts";
import { OCI_INDEX } from "../media_types.ts";
import { discard, readBody } from "./http.ts";
import type { FoundManifest, Repository } from "./repository.ts";

/** The most pages of a list, and descriptors in it: a registry can go on without an end. */
const [MOST_PAGES, MOST] = [100, 10_000];

/** What refers to a manifest; a registry without the interface has an index of it by a tag. */
export async function referringTo(
  place: Repository,
  digest: string,
): Promise<readonly Descriptor[]> {
  return await listed(place, digest) ?? await tagged(place, digest);
}

/** The manifest that cosign gives its signatures of a digest, by the tag that it has for them. */
export async function signatureTag(
  place: Repository,
  digest: string,
): Promise<FoundManifest | undefined> {
  return await optional(place, `${tagOf(digest)}.sig`);
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
  for (let page = 0; path !== undefined; page++) {
    if (page === MOST_PAGES || found.length > MOST) throw endless(what);
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

function endless(what: string): ImageError {
  return new ImageError(`${what} is listed on more pages, or is more, than is looked at`, {
    code: "invalid",
  });
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
