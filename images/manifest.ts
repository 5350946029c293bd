/**
 * Manifests and indexes, read and checked. The media type is optional in them, and then told by their
 * fields.
 *
 * @module
 */

import {
  type Descriptor,
  invalid,
  isObject,
  type JsonObject,
  parseDocument,
  readDescriptor,
  texts,
} from "./descriptor.ts";
import { ImageError } from "./errors.ts";
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  isConfigType,
  isManifestType,
  layerIssue,
  OCI_INDEX,
  OCI_MANIFEST,
} from "./media_types.ts";

/** A manifest of one image, or artifact. */
export interface Manifest {
  /** What it is. */
  readonly kind: "manifest";
  /** Its media type. */
  readonly mediaType: string;
  /** The configuration. */
  readonly config: Descriptor;
  /** The layers, the lowest first. */
  readonly layers: readonly Descriptor[];
  /** What an artifact is about. */
  readonly subject?: Descriptor;
  /** What kind of artifact it is. */
  readonly artifactType?: string;
  /** What else is said of it. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** An index: manifests of several platforms. */
export interface Index {
  /** What it is. */
  readonly kind: "index";
  /** Its media type. */
  readonly mediaType: string;
  /** The manifests. */
  readonly manifests: readonly Descriptor[];
  /** What else is said of it. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** The most manifests of an index, and layers of a manifest, that are looked at. */
const MOST = 10_000;

/**
 * Parses the bytes of a manifest or an index.
 *
 * @param what what it is called in errors: "the manifest of debian:12"
 * @param type the media type that it came with, if any
 * @throws {ImageError} where it is neither, or a kind that is not handled
 */
export function parseManifest(what: string, bytes: Uint8Array, type?: string): Manifest | Index {
  const document = parseDocument(what, bytes);
  const given = document["mediaType"] ?? (isManifestType(type ?? "") ? type : undefined);
  const mediaType = typeof given === "string" ? given : typeByFields(document);
  if (
    document["schemaVersion"] === 1 ||
    /distribution\.manifest\.v1\+(json|prettyjws)$/.test(String(given))
  ) {
    throw new ImageError(`${what} is of Docker's schema 1, which engines have given up`, {
      code: "unsupported",
      advice: ["push the image again, with any engine of the last years"],
    });
  }
  if (document["schemaVersion"] !== 2) throw invalid(what, `has no "schemaVersion" of 2`);
  if (mediaType === OCI_INDEX || mediaType === DOCKER_LIST) {
    // A document with the fields of both would be one image to one reader, and another to the next.
    if (document["layers"] !== undefined) throw invalid(what, "is an index, and has layers");
    return readIndex(what, document, mediaType);
  }
  if (mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST) {
    if (document["manifests"] !== undefined) {
      throw invalid(what, "is a manifest, and has manifests");
    }
    return readManifest(what, document, mediaType);
  }
  throw new ImageError(
    `${what} has the media type ${JSON.stringify(mediaType)}, which is none of an image`,
    { code: "unsupported" },
  );
}

function typeByFields(document: JsonObject): string | undefined {
  if (Array.isArray(document["manifests"])) return OCI_INDEX;
  if (!isObject(document["config"])) return undefined;
  const type = document["config"]["mediaType"];
  return typeof type === "string" && type.startsWith("application/vnd.docker.")
    ? DOCKER_MANIFEST
    : OCI_MANIFEST;
}

function readIndex(what: string, document: JsonObject, mediaType: string): Index {
  const manifests = listOf(what, document, "manifests").map((value, index) =>
    readDescriptor(`${what}: manifest ${index + 1}`, value, OCI_MANIFEST)
  );
  return { kind: "index", mediaType, manifests, annotations: annotationsOf(document) };
}

function readManifest(what: string, document: JsonObject, mediaType: string): Manifest {
  const { subject, artifactType } = document;
  return {
    kind: "manifest",
    mediaType,
    config: readDescriptor(`${what}: its config`, document["config"]),
    layers: listOf(what, document, "layers").map((value, index) =>
      readDescriptor(`${what}: layer ${index + 1}`, value)
    ),
    annotations: annotationsOf(document),
    ...(isObject(subject) && { subject: readDescriptor(`${what}: its subject`, subject) }),
    ...(typeof artifactType === "string" && { artifactType }),
  };
}

function listOf(what: string, document: JsonObject, field: string): readonly unknown[] {
  const list = document[field];
  if (!Array.isArray(list)) throw invalid(what, `has no list "${field}"`);
  if (list.length > MOST) throw invalid(what, `has more than ${MOST} ${field}`);
  return list;
}

function annotationsOf({ annotations }: JsonObject): Record<string, string> {
  return isObject(annotations) ? texts(annotations) : {};
}

/**
 * Checks that the manifest is of an image that can be unpacked.
 *
 * @throws {ImageError} where it is an artifact of another kind, or has layers that cannot be had
 */
export function checkRunnable(what: string, manifest: Manifest): void {
  const { config, layers, artifactType } = manifest;
  if (!isConfigType(config.mediaType)) {
    const kind = artifactType ?? config.mediaType;
    throw new ImageError(`${what} is of an artifact (${kind}), and no image that can be run`, {
      code: "unsupported",
    });
  }
  for (const [index, { mediaType }] of layers.entries()) {
    const issue = layerIssue(mediaType);
    if (issue === undefined) continue;
    throw new ImageError(`${what}: layer ${index + 1} ${issue}`, { code: "unsupported" });
  }
}
