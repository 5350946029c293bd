/**
 * The public key by which signatures are verified.
 *
 * @module
 */

import { digestOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { ecdsaFromDer } from "./ecdsa.ts";

/** The hashes under a signature: SHA-256 is cosign's, unless it is told another one. */
const HASHES = ["SHA-256", "SHA-384", "SHA-512"] as const;

/** The least bits of an RSA key (NIST SP 800-131A). */
const LEAST_RSA = 2048;

/** The most bytes of a file with a key. */
const MOST = 1 << 16;

/** Verifies whether bytes have been signed. */
type Verify = (
  key: CryptoKey,
  signature: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
) => Promise<boolean>;

/** A kind of keys. */
interface KeyKind {
  readonly algorithm: EcKeyImportParams | RsaHashedImportParams | { readonly name: "Ed25519" };
  readonly verify: Verify;
}

/** The key as WebCrypto has it. */
interface ImportedKey {
  readonly key: CryptoKey;
  readonly verify: Verify;
}

const RSA = "RSASSA-PKCS1-v1_5";

/** What a PEM file may be. A key of RSA is imported once for each hash. */
const KINDS: readonly KeyKind[] = [
  ...[["P-256", 32], ["P-384", 48], ["P-521", 66]].map(([curve, size]) =>
    ecdsa(curve as string, size as number)
  ),
  {
    algorithm: { name: "Ed25519" },
    verify: (key, signature, bytes) => crypto.subtle.verify("Ed25519", key, signature, bytes),
  },
  ...HASHES.map((hash): KeyKind => ({
    algorithm: { name: RSA, hash },
    verify: (key, signature, bytes) => crypto.subtle.verify(RSA, key, signature, bytes),
  })),
];

function ecdsa(namedCurve: string, size: number): KeyKind {
  return {
    algorithm: { name: "ECDSA", namedCurve },
    async verify(key, signature, bytes) {
      // WebCrypto takes two numbers of the curve's size, and signers write DER.
      const raw = ecdsaFromDer(signature, size);
      if (raw === undefined) return false;
      for (const hash of HASHES) {
        if (await crypto.subtle.verify({ name: "ECDSA", hash }, key, raw, bytes)) return true;
      }
      return false;
    },
  };
}

/** A public key. */
export class PublicKey {
  /** What it is called in errors: its file, and its fingerprint. */
  readonly what: string;
  /** The digest of the key, as `openssl pkey -pubin -outform der | sha256sum` has it. */
  readonly fingerprint: string;
  readonly #keys: readonly ImportedKey[];

  private constructor(what: string, fingerprint: string, keys: readonly ImportedKey[]) {
    this.what = what;
    this.fingerprint = fingerprint;
    this.#keys = keys;
  }

  /**
   * Reads a key.
   *
   * @param given the path of a PEM file, or what is in one
   * @throws {ImageError} where it is no public key, or of a kind that is not handled
   */
  static async read(given: string): Promise<PublicKey> {
    const isText = given.startsWith("-----BEGIN ");
    const what = isText ? "the key" : `the key ${given}`;
    const der = derOf(what, isText ? given : await readKeyFile(given));
    const keys: ImportedKey[] = [];
    for (const { algorithm, verify } of KINDS) {
      const key = await imported(der, algorithm);
      if (key !== undefined) keys.push({ key, verify });
    }
    if (keys.length === 0) {
      throw refused(what, "is of no kind that is handled", [
        "these are: ECDSA on P-256, P-384 and P-521, RSA, Ed25519",
      ]);
    }
    for (const { key } of keys) checkStrength(what, key);
    const fingerprint = digestOf(der);
    return new PublicKey(`${what} (${fingerprint})`, fingerprint, keys);
  }

  /** Whether the bytes were signed by the key's owner. */
  async verifies(
    signature: Uint8Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<boolean> {
    for (const { key, verify } of this.#keys) {
      if (await verify(key, signature, bytes)) return true;
    }
    return false;
  }
}

/** The key; `undefined` where it is of another kind. */
async function imported(
  der: Uint8Array<ArrayBuffer>,
  algorithm: KeyKind["algorithm"],
): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey("spki", der, algorithm, true, ["verify"]);
  } catch {
    return undefined;
  }
}

function checkStrength(what: string, key: CryptoKey): void {
  const bits = (key.algorithm as Partial<RsaKeyAlgorithm>).modulusLength ?? LEAST_RSA;
  if (bits >= LEAST_RSA) return;
  throw refused(what, `is one of RSA with ${bits} bits, and ${LEAST_RSA} are the least`, []);
}

async function readKeyFile(path: string): Promise<string> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (isFile && size <= MOST) return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw refused(`the key ${path}`, "is not there: no such file", [], error);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw refused(`the key ${path}`, "cannot be read: this user may not", [], error);
    }
    throw error;
  }
  throw refused(`the key ${path}`, "is no file of a key", []);
}

/** What to do with PEM files of other things. */
const OTHERS: readonly (readonly [label: RegExp, is: string, advice: string])[] = [
  [
    /PRIVATE KEY$/,
    "is a private key, which nobody needs to verify",
    "its public key: cosign public-key --key FILE, or openssl pkey -in FILE -pubout",
  ],
  [
    /CERTIFICATE$/,
    "is a certificate, and no public key",
    "its public key: openssl x509 -in FILE -noout -pubkey",
  ],
  [
    /^RSA PUBLIC KEY$/,
    "is a key in the format PKCS #1, which is not read",
    "the same in the usual one: openssl rsa -RSAPublicKey_in -in FILE -pubout",
  ],
];

/** The bytes of the one key of a PEM text (RFC 7468). */
function derOf(what: string, text: string): Uint8Array<ArrayBuffer> {
  const blocks = [...text.matchAll(/-----BEGIN ([^-]*)-----([^-]*)-----END \1-----/g)];
  const label = blocks[0]?.[1];
  if (blocks.length !== 1 || label === undefined) {
    const found = blocks.length === 0 ? "has no key in it" : `has ${blocks.length} keys in it`;
    throw refused(
      what,
      `${found}: one is wanted, which begins with -----BEGIN PUBLIC KEY-----`,
      [],
    );
  }
  const other = OTHERS.find(([pattern]) => pattern.test(label));
  if (other !== undefined) throw refused(what, other[1], [other[2]]);
  if (label !== "PUBLIC KEY") throw refused(what, `is ${label}, and no PUBLIC KEY`, []);
  try {
    return Uint8Array.fromBase64(blocks[0]![2]!);
  } catch (cause) {
    throw refused(what, "is damaged: it is no base64", [], cause);
  }
}

function refused(
  what: string,
  why: string,
  advice: readonly string[],
  cause?: unknown,
): ImageError {
  return new ImageError(`${what} ${why}`, { code: "signature", advice, cause });
}
