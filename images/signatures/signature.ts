/**
 * Signatures of images, as cosign writes them in a registry: simple signing, and the bundles of version 3.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { invalid, isObject, parseDocument } from "../descriptor.ts";
import type { Descriptor, JsonObject } from "../descriptor.ts";

/** The media type of the payloads of simple signing. */
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
/** That of bundles, with their version. */
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(\.v[0-9.]+)?\+json/;
/** The annotation with the signature of a payload. */
const SIGNATURE = "dev.cosignproject.cosign/signature";
/** That with the certificate of a key that was used once. */
const CERTIFICATE = "dev.sigstore.cosign/certificate";
/** What cosign says that it has signed. */
const TYPES = ["cosign container image signature", "https://sigstore.dev/cosign/sign/v1"];

/** A signature, which says nothing yet: whoever can write to the registry may have put it there. */
export interface Signature {
  /** The bytes that were signed. */
  readonly signed: Uint8Array<ArrayBuffer>;
  /** The signature of them. */
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Whether it is by a certificate, and no key that anybody has. */
  readonly isKeyless: boolean;
  /**
   * Says what was signed; to be asked once the signature is verified.
   *
   * @throws {ImageError} where that is no image
   */
  claim(): Claim;
}

/** A signature that is there; it is fetched when it is asked for. */
export interface FoundSignature {
  /**
   * Fetches it.
   *
   * @throws {ImageError} where it cannot be had, or is none
   */
  read(): Promise<Signature>;
}

/** What somebody has signed. */
export interface Claim {
  /** The digests of the manifest. */
  readonly digests: readonly string[];
  /** The name of the image; bundles have none. */
  readonly name: string | undefined;
}

/** Whether a layer of an artifact is a signature. */
export function isSignature({ mediaType }: Descriptor): boolean {
  return mediaType === SIMPLE_SIGNING || BUNDLE.test(mediaType);
}

/**
 * Reads a signature.
 *
 * @param what what it is called in errors
 * @param layer the layer of the artifact
 * @param bytes what is in it
 * @throws {ImageError} where it is none
 */
export function readSignature(
  what: string,
  layer: Descriptor,
  bytes: Uint8Array<ArrayBuffer>,
): Signature {
  if (layer.mediaType !== SIMPLE_SIGNING) return readBundle(what, bytes);
  const text = layer.annotations?.[SIGNATURE];
  if (text === undefined) throw invalid(what, `has no annotation "${SIGNATURE}"`);
  return {
    signed: bytes,
    signature: decoded(what, text),
    isKeyless: (layer.annotations?.[CERTIFICATE] ?? "") !== "",
    claim: () => simpleClaim(what, bytes),
  };
}

/** The payload of simple signing (containers-signature(5)). What is critical has to be understood. */
function simpleClaim(what: string, bytes: Uint8Array): Claim {
  const critical = objectIn(what, parseDocument(what, bytes), "critical");
  const identity = objectIn(what, critical, "identity");
  const image = objectIn(what, critical, "image");
  for (
    const [object, known] of [
      [critical, ["identity", "image", "type"]],
      [identity, ["docker-reference"]],
      [image, ["docker-manifest-digest"]],
    ] as const
  ) {
    const other = Object.keys(object).find((key) => !(known as readonly string[]).includes(key));
    if (other !== undefined) throw invalid(what, `says ${JSON.stringify(other)}, unknown here`);
  }
  if (!TYPES.includes(textIn(what, critical, "type"))) {
    throw invalid(what, `is of ${JSON.stringify(critical["type"])}, and not of a container image`);
  }
  return {
    digests: [textIn(what, image, "docker-manifest-digest")],
    name: textIn(what, identity, "docker-reference"),
  };
}

const IN_TOTO = "application/vnd.in-toto+json";
const STATEMENT = "https://in-toto.io/Statement/v1";

/** A bundle: an envelope of DSSE around a statement of in-toto. */
function readBundle(what: string, bytes: Uint8Array): Signature {
  const bundle = parseDocument(what, bytes);
  const envelope = objectIn(what, bundle, "dsseEnvelope");
  const type = textIn(what, envelope, "payloadType");
  const payload = decoded(what, textIn(what, envelope, "payload"));
  const { signatures } = envelope;
  const first = Array.isArray(signatures) && signatures.length === 1 ? signatures[0] : undefined;
  if (!isObject(first)) throw invalid(what, "has not one signature");
  const { verificationMaterial: material } = bundle;
  return {
    signed: envelopeBytes(type, payload),
    signature: decoded(what, textIn(what, first, "sig")),
    isKeyless: isObject(material) && material["publicKey"] === undefined,
    claim: () => statementClaim(what, type, payload),
  };
}

/** What is signed of an envelope: its type and its payload, each behind its length (DSSE, PAE). */
function envelopeBytes(type: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return new Uint8Array(Buffer.concat([Buffer.from(head), payload]));
}

function statementClaim(what: string, type: string, payload: Uint8Array): Claim {
  if (type !== IN_TOTO) throw invalid(what, `is of ${JSON.stringify(type)}, and not of in-toto`);
  const statement = parseDocument(what, payload);
  if (textIn(what, statement, "_type") !== STATEMENT) {
    throw invalid(what, `is of no statement that is known: ${JSON.stringify(statement["_type"])}`);
  }
  const predicate = textIn(what, statement, "predicateType");
  // An attestation says something of an image, which need not be that it is good.
  if (!TYPES.includes(predicate)) {
    throw invalid(what, `is of ${JSON.stringify(predicate)}, and not of a container image`);
  }
  const { subject } = statement;
  const subjects = Array.isArray(subject) ? subject : [];
  return {
    digests: subjects.flatMap((it) => {
      const digest = isObject(it) && isObject(it["digest"]) ? it["digest"] : {};
      return Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`);
    }),
    name: undefined,
  };
}

function objectIn(what: string, object: JsonObject, field: string): JsonObject {
  const value = object[field];
  if (!isObject(value)) throw invalid(what, `has no object "${field}"`);
  return value;
}

function textIn(what: string, object: JsonObject, field: string): string {
  const value = object[field];
  if (typeof value !== "string") throw invalid(what, `has no text "${field}"`);
  return value;
}

function decoded(what: string, base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw invalid(what, "has something in it that is no base64", cause);
  }
}
