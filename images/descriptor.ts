/**
 * Descriptors: the media type, digest and size of some content. And the JSON that they stand in, which
 * came from anywhere.
 *
 * @module
 */

import { digestIssue } from "./digest.ts";
import { ImageError } from "./errors.ts";

/** Names content, and says how to check it. */
export interface Descriptor {
  /** What it is. */
  readonly mediaType: string;
  /** Its digest: `sha256:...`. */
  readonly digest: string;
  /** Its size in bytes. */
  readonly size: number;
  /** For which platform an image is. */
  readonly platform?: Platform;
  /** What else is said of it. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** What kind of artifact a manifest is. */
  readonly artifactType?: string;
  /** The content itself, in base64, where it is small. */
  readonly data?: string;
}

/** A platform that an image is for. */
export interface Platform {
  /** The system: `linux`. */
  readonly os: string;
  /** The processor: `amd64`, `arm64`. */
  readonly architecture: string;
  /** The kind of the processor: `v8`. */
  readonly variant?: string;
  /** The version of the system, for Windows. */
  readonly "os.version"?: string;
  /** What it needs of the system. */
  readonly "os.features"?: readonly string[];
}

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The most bytes of a manifest, an index or a configuration: registries take 4 MiB. */
export const DOCUMENT_LIMIT = 8 * 1024 * 1024;

/**
 * Parses the bytes of a document.
 *
 * @throws {ImageError} where they are no object of JSON
 */
export function parseDocument(what: string, bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid(what, "is not JSON", cause);
  }
  if (!isObject(value)) throw invalid(what, "is not an object of JSON");
  return value;
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The error of a document that is not what it should be. */
export function invalid(what: string, why: string, cause?: unknown): ImageError {
  return new ImageError(`${what} ${why}`, { code: "invalid", cause });
}

/**
 * Reads a descriptor.
 *
 * @throws {ImageError} where it is none
 */
export function readDescriptor(what: string, value: unknown, usual?: string): Descriptor {
  if (!isObject(value)) throw invalid(what, "is not a descriptor");
  const { digest, size, platform, annotations, artifactType, data } = value;
  const mediaType = value["mediaType"] ?? usual;
  if (typeof mediaType !== "string") throw invalid(what, `has no "mediaType"`);
  const issue = digestIssue(digest);
  if (issue !== undefined) throw invalid(what, `has a "digest" that ${issue}`);
  if (!Number.isSafeInteger(size) || (size as number) < 0) {
    throw invalid(what, `has a "size" that is not a number of bytes`);
  }
  return {
    mediaType,
    digest: digest as string,
    size: size as number,
    ...(platform !== undefined && { platform: readPlatform(what, platform) }),
    ...(isObject(annotations) && { annotations: texts(annotations) }),
    ...(typeof artifactType === "string" && { artifactType }),
    ...(typeof data === "string" && { data }),
  };
}

function readPlatform(what: string, value: unknown): Platform {
  if (!isObject(value)) throw invalid(what, `has a "platform" that is not an object`);
  const { os, architecture, variant } = value;
  const features = value["os.features"];
  const version = value["os.version"];
  return {
    os: typeof os === "string" ? os : "unknown",
    architecture: typeof architecture === "string" ? architecture : "unknown",
    ...(typeof variant === "string" && variant !== "" && { variant }),
    ...(typeof version === "string" && { "os.version": version }),
    ...(Array.isArray(features) && { "os.features": features.map(String) }),
  };
}

/** The texts among the values of an object. */
export function texts(object: JsonObject): Record<string, string> {
  const pairs = Object.entries(object).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(pairs as [string, string][]);
}
