/**
 * Digests: `sha256:` and the hash of some content, by which it is named and checked.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { ImageError } from "./errors.ts";

/** The algorithms, with the number of letters of their digests. */
const LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

/** Whether the text has the grammar of a digest, known algorithm or not. */
export function looksLikeDigest(text: string): boolean {
  return /^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(text);
}

/** What is wrong with a digest; `undefined` if nothing is. */
export function digestIssue(text: unknown): string | undefined {
  if (typeof text !== "string") return "is not a text";
  const [algorithm = "", encoded = ""] = text.split(/:(.*)/s);
  const length = LENGTHS[algorithm];
  if (length === undefined || !Object.hasOwn(LENGTHS, algorithm)) {
    return `has no algorithm that is known: ${Object.keys(LENGTHS).join(" and ")} are`;
  }
  if (encoded.length !== length || !/^[0-9a-f]*$/.test(encoded)) {
    return `does not have ${length} digits of 0-9 and a-f after "${algorithm}:"`;
  }
  return undefined;
}

/** Starts the hash of a digest. */
export function hashFor(digest: string): Hash {
  return createHash(algorithmOf(digest));
}

/** The algorithm of a digest. */
export function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(":"));
}

/** The hash in a digest, without the algorithm. */
export function encodedOf(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** The digest of some bytes. */
export function digestOf(bytes: Uint8Array | string, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/**
 * Checks bytes against the digest, and the size where it is known.
 *
 * @param what what they are: "the manifest"
 * @throws {ImageError} where they are others
 */
export function checkBytes(
  what: string,
  bytes: Uint8Array,
  { digest, size }: { readonly digest: string; readonly size?: number | undefined },
): void {
  if (size !== undefined && size !== bytes.length) throw wrongSize(what, size, bytes.length);
  const found = digestOf(bytes, algorithmOf(digest));
  if (found !== digest) throw wrongDigest(what, digest, found);
}

/** The error of content that has another digest. */
export function wrongDigest(what: string, digest: string, found: string): ImageError {
  return new ImageError(
    `${what} is not what its digest says: ${digest} is wanted, it is ${found}`,
    {
      code: "digest",
      advice: ["it was damaged or changed on its way, or where it is kept; get it from elsewhere"],
    },
  );
}

/** The error of content of another size. */
export function wrongSize(what: string, size: number, found: number): ImageError {
  return new ImageError(
    `${what} has another size than its descriptor says: ${size} bytes are wanted, it has ${found}`,
    { code: "digest" },
  );
}
