/** Signatures as cosign writes them, made by the tests. */

import { digestOf } from "../../images/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from "../../images/media_types.ts";
import type { FixtureRegistry } from "./fixture_registry.ts";
import { joined, json } from "./made_image.ts";

/** The kinds of keys: for ECDSA with the bytes of a number, and the hash under the signature. */
export const KINDS = {
  "P-256": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256", size: 32 },
  "P-384": { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384", size: 48 },
  "P-521": { name: "ECDSA", namedCurve: "P-521", hash: "SHA-256", size: 66 },
  "RSA": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", size: 0 },
  "Ed25519": { name: "Ed25519", hash: "", size: 0 },
} as const;

/** A pair of keys that signs. */
export class Signer {
  /** The public key, as a PEM file has it. */
  readonly pem: string;
  readonly #key: CryptoKey;
  readonly #kind: typeof KINDS[keyof typeof KINDS];

  private constructor(pem: string, key: CryptoKey, kind: keyof typeof KINDS) {
    this.pem = pem;
    this.#key = key;
    this.#kind = KINDS[kind];
  }

  /** Makes a pair. */
  static async make(kind: keyof typeof KINDS = "P-256", bits = 2048): Promise<Signer> {
    const rsa = { modulusLength: bits, publicExponent: new Uint8Array([1, 0, 1]) };
    const algorithm = { ...KINDS[kind], ...rsa };
    const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const { publicKey, privateKey } = pair as CryptoKeyPair;
    return new Signer(pemOf(await crypto.subtle.exportKey("spki", publicKey)), privateKey, kind);
  }

  /** Signs bytes, and returns the signature in base64, which of ECDSA is DER. */
  async sign(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const { name, hash, size } = this.#kind;
    const raw = new Uint8Array(await crypto.subtle.sign({ name, hash }, this.#key, bytes));
    return (size === 0 ? raw : derOf(raw, size)).toBase64();
  }
}

/** A PEM text of some bytes. */
export function pemOf(bytes: ArrayBuffer, label = "PUBLIC KEY"): string {
  const lines = new Uint8Array(bytes).toBase64().match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** Two numbers as a SEQUENCE of two INTEGERs, with a zero before what would be negative. */
function derOf(raw: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const numbers = [raw.subarray(0, size), raw.subarray(size)].map((number) => {
    const bare = number.subarray(number.findIndex((byte) => byte !== 0));
    return element(0x02, bare[0]! < 0x80 ? bare : joined([new Uint8Array(1), bare]));
  });
  return element(0x30, joined(numbers));
}

function element(tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = content.length > 0x7f ? [0x81, content.length] : [content.length];
  return joined([new Uint8Array([tag, ...length]), content]);
}

/** A payload of simple signing, in the order in which cosign has it. */
export function payloadOf(
  name: string,
  digest: string,
  type = "cosign container image signature",
): Uint8Array<ArrayBuffer> {
  return json({
    critical: {
      identity: { "docker-reference": name },
      image: { "docker-manifest-digest": digest },
      type,
    },
    optional: null,
  });
}

/** A layer of an artifact, with what is in it. */
export interface SignatureLayer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A layer with a payload and its signature. */
export async function simpleSigning(
  signer: Signer,
  payload: Uint8Array<ArrayBuffer>,
  annotations: Readonly<Record<string, string>> = {},
): Promise<SignatureLayer> {
  return {
    bytes: payload,
    mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
    annotations: {
      "dev.cosignproject.cosign/signature": await signer.sign(payload),
      ...annotations,
    },
  };
}

/** A layer with a bundle, as cosign 3 writes it. */
export async function bundle(
  signer: Signer,
  digest: string,
  predicateType = "https://sigstore.dev/cosign/sign/v1",
): Promise<SignatureLayer> {
  const type = "application/vnd.in-toto+json";
  const payload = json({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: digest.slice("sha256:".length) }, annotations: {} }],
    predicateType,
    predicate: {},
  });
  const head = new TextEncoder().encode(`DSSEv1 ${type.length} ${type} ${payload.length} `);
  const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
  return {
    mediaType,
    bytes: json({
      mediaType,
      verificationMaterial: { publicKey: { hint: "" } },
      dsseEnvelope: {
        payload: payload.toBase64(),
        payloadType: type,
        signatures: [{ sig: await signer.sign(joined([head, payload])) }],
      },
    }),
  };
}

/** Where signatures of a digest are put. */
export interface SignaturePlace {
  readonly registry: FixtureRegistry;
  readonly repository: string;
  readonly digest: string;
}

/** Puts an artifact of signatures into the registry, and returns its descriptor. */
function putArtifact(
  { registry, repository, digest }: SignaturePlace,
  layers: readonly SignatureLayer[],
  more: { readonly configType?: string; readonly artifactType?: string; readonly tag?: string },
) {
  const add = (mediaType: string, bytes: Uint8Array<ArrayBuffer>) => {
    const digest = digestOf(bytes);
    registry.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const { configType = OCI_CONFIG, artifactType, tag } = more;
  const manifest = add(
    OCI_MANIFEST,
    json({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      ...(artifactType !== undefined && { artifactType }),
      config: add(configType, json({})),
      layers: layers.map(({ bytes, mediaType, annotations }) => ({
        ...add(mediaType, bytes),
        annotations,
      })),
      ...(tag === undefined && { subject: { mediaType: OCI_MANIFEST, digest, size: 1 } }),
    }),
  );
  for (const name of [tag, manifest.digest]) {
    if (name === undefined) continue;
    const found = { type: OCI_MANIFEST, digest: manifest.digest };
    registry.manifests.set(`${repository}@${name}`, found);
  }
  return manifest;
}

/** Puts signatures where cosign's tag for them is. */
export function putTagged(place: SignaturePlace, layers: readonly SignatureLayer[]): void {
  putArtifact(place, layers, { tag: `${place.digest.replace(":", "-")}.sig` });
}

/** Lets the registry answer that these refer to the digest: with the artifact types that it would have. */
export function putReferring(
  place: SignaturePlace,
  artifacts: readonly { readonly type: string; readonly layers: readonly SignatureLayer[] }[],
): void {
  const manifests = artifacts.map(({ type, layers }) => ({
    ...putArtifact(place, layers, { configType: type }),
    artifactType: type,
  }));
  const path = `/v2/${place.repository}/referrers/${place.digest}`;
  place.registry.answer = (_, url) =>
    url.pathname === path
      ? Response.json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, {
        headers: { "content-type": OCI_INDEX },
      })
      : undefined;
}
