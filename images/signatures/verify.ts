/**
 * Verifies that an image is signed.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { parseReference, type Reference, referenceText } from "../reference.ts";
import type { PublicKey } from "./public_key.ts";
import type { Claim, FoundSignature } from "./signature.ts";

/** Where an image is, as far as its signatures are concerned. */
export interface SignedPlace {
  /** What the image is called in errors. */
  readonly what: string;
  /** Gives the signatures of a manifest, if the place can have any. */
  readonly signatures?: ((digest: string) => AsyncIterable<FoundSignature>) | undefined;
}

/**
 * Verifies that the owner of the key has signed one of these manifests by the name that was asked for.
 *
 * @param digests that of the index, and that of the image in it
 * @throws {ImageError} where that is not so, with the reason
 */
export async function verifySignature(
  source: SignedPlace,
  reference: Reference,
  digests: readonly string[],
  key: PublicKey,
): Promise<void> {
  if (source.signatures === undefined) {
    throw new ImageError(`${source.what} is in files, which have no place for signatures`, {
      code: "signature",
      advice: ["signatures are verified of images in registries"],
    });
  }
  const wanted: Wanted = { what: source.what, reference, digests, key };
  const seen = new Seen();
  for (const digest of digests) {
    for await (const found of source.signatures(digest)) {
      if (await isGood(found, wanted, seen)) return;
    }
  }
  throw seen.failure(wanted);
}

/** What a signature has to be of. */
interface Wanted {
  readonly what: string;
  readonly reference: Reference;
  readonly digests: readonly string[];
  readonly key: PublicKey;
}

/** Whether a signature is the one that is wanted; what it is else is noted. */
async function isGood(found: FoundSignature, wanted: Wanted, seen: Seen): Promise<boolean> {
  try {
    const { signed, signature, isKeyless, claim } = await found.read();
    if (!await wanted.key.verifies(signature, signed)) {
      seen.others++;
      if (isKeyless) seen.keyless++;
      return false;
    }
    // What is said is believed from here on.
    const issue = issueOf(claim(), wanted);
    if (issue === undefined) return true;
    seen.byKey ??= issue;
  } catch (error) {
    // Beside a damaged one there may be one that is good.
    if (!(error instanceof ImageError)) throw error;
    seen.damaged ??= error;
  }
  return false;
}

/** Why a claim is not the one that is wanted. */
function issueOf(claim: Claim, { what, reference, digests, key }: Wanted): ImageError | undefined {
  const begin = `${what} has a signature by ${key.what}`;
  if (!claim.digests.some((digest) => digests.includes(digest))) {
    return new ImageError(
      `${begin}, which is of another image: of ${claim.digests.join(", ")}, and not of ` +
        digests.join(" or "),
      { code: "signature" },
    );
  }
  if (claim.name === undefined || isSameName(claim.name, reference)) return undefined;
  return new ImageError(
    `${begin}, which is of another name: of ${JSON.stringify(claim.name)}, and not of ` +
      JSON.stringify(referenceText(reference)),
    {
      code: "signature",
      advice: [
        "pull it by the name that is signed; where it is a copy, that is its mirror: --mirror",
      ],
    },
  );
}

/** Whether a signed name, which often has no tag, is the one that was asked for. */
function isSameName(signed: string, asked: Reference): boolean {
  const name = namedBy(signed);
  if (name?.transport !== "registry" || asked.transport !== "registry") return false;
  if (name.registry !== asked.registry || name.repository !== asked.repository) return false;
  const plain = signed.split("@")[0]!;
  const hasTag = plain.includes(":", plain.lastIndexOf("/") + 1);
  return !hasTag || asked.tag === undefined || asked.tag === name.tag;
}

function namedBy(signed: string): Reference | undefined {
  try {
    return parseReference(signed);
  } catch {
    return undefined;
  }
}

/** What signatures there were, none of which was the wanted one. */
class Seen {
  /** Why one by the key is none. */
  byKey: ImageError | undefined;
  /** Why one could not be read. */
  damaged: ImageError | undefined;
  /** How many are by other keys, and how many of these by certificates. */
  others = 0;
  keyless = 0;

  failure({ what, digests, key }: Wanted): ImageError {
    const { byKey, damaged, others, keyless } = this;
    if (byKey !== undefined) return byKey;
    if (damaged !== undefined) {
      return new ImageError(`no signature of ${what} is verified: ${damaged.issue}`, {
        code: damaged.code === "network" || damaged.code === "denied" ? damaged.code : "signature",
        cause: damaged,
        advice: damaged.advice,
      });
    }
    if (others === 0) {
      return new ImageError(`${what} is not signed: ${digests.join(" and ")} have no signature`, {
        code: "signature",
        advice: ["cosign sign --key FILE signs an image in its registry"],
      });
    }
    const count = others === 1 ? "has a signature" : `has ${others} signatures`;
    return new ImageError(
      `${what} ${count}, and ${others === 1 ? "it is not" : "none is"} by ${key.what}`,
      {
        code: "signature",
        advice: keyless === 0 ? [] : [
          "those by a certificate (keyless) are not verified here; cosign verify does that",
        ],
      },
    );
  }
}
