/**
 * References: how images are named. The grammar is that of docker and of the other engines.
 *
 * @module
 */

import { digestIssue } from "./digest.ts";
import { ImageError } from "./errors.ts";

/** An image in a registry: `debian:12`, `registry.example:5000/team/tool@sha256:...`. */
export interface RegistryReference {
  /** Where it is. */
  readonly transport: "registry";
  /** The registry, with its port: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** The repository in the registry: `library/debian`. */
  readonly repository: string;
  /** The tag; `latest` where neither a tag nor a digest is given. */
  readonly tag?: string;
  /** The digest, which decides where a tag is given too. */
  readonly digest?: string;
}

/** An image in files: a layout, an archive, a directory. */
export interface FileReference {
  /** The kind of the files. */
  readonly transport: FileTransport;
  /** Where they are. */
  readonly path: string;
  /** The name of the image among several in there. */
  readonly image?: string;
  /** The digest of its manifest. */
  readonly digest?: string;
}

/** The kinds of files that hold images. */
export type FileTransport = "oci" | "oci-archive" | "docker-archive" | "dir";

/** Names an image. */
export type Reference = RegistryReference | FileReference;

/** The registry of names that name none. */
const DEFAULT_REGISTRY = "docker.io";

const FILE_TRANSPORTS: readonly string[] = ["oci", "oci-archive", "docker-archive", "dir"];

/** Transports of other tools, which are none here, with what to do. */
const OTHER_TRANSPORTS: Readonly<Record<string, string>> = {
  "containers-storage":
    "podman save --format oci-archive -o image.tar NAME, then oci-archive:image.tar",
  "docker-daemon": "docker save -o image.tar NAME, then docker-archive:image.tar",
  "ostree": "skopeo copy it to an oci: layout first",
  "sif": "skopeo copy it to an oci: layout first",
  "tarball": "skopeo copy it to an oci: layout first",
};

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;

/**
 * Parses a reference: `debian:12`, `localhost:5000/tool`, `debian@sha256:...`, `oci:./layout:tag`,
 * `docker-archive:image.tar`, `oci-archive:image.tar:tag`, `dir:directory`.
 *
 * @throws {ImageError} where it is none, with the fix
 *
 * @example
 * ```ts
 * import { parseReference, referenceText } from "@ramekin/ramekin/images";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(referenceText(parseReference("debian")), "docker.io/library/debian:latest");
 * ```
 */
export function parseReference(text: string): Reference {
  if (text === "") throw refused(text, "it is empty");
  if (/[\0-\x20\x7f]/.test(text) && !isFile(text)) {
    throw refused(text, "it has a space or a control character in it");
  }
  const scheme = /^(https?):\/\//.exec(text)?.[1];
  if (scheme !== undefined) {
    throw refused(text, `a reference has no "${scheme}://"`, text.slice(scheme.length + 3));
  }
  const transport = /^([a-z-]+):/.exec(text)?.[1];
  if (transport === "docker" && text.startsWith("docker://")) {
    return parseRegistry(text.slice("docker://".length), text);
  }
  if (transport !== undefined && FILE_TRANSPORTS.includes(transport)) {
    return parseFile(transport as FileTransport, text.slice(transport.length + 1), text);
  }
  if (transport !== undefined && Object.hasOwn(OTHER_TRANSPORTS, transport)) {
    throw new ImageError(`${shown(text)}: images of ${transport}: cannot be read`, {
      code: "unsupported",
      advice: [OTHER_TRANSPORTS[transport]!],
    });
  }
  return parseRegistry(text, text);
}

function isFile(text: string): boolean {
  return FILE_TRANSPORTS.some((transport) => text.startsWith(`${transport}:`));
}

/** `PATH`, `PATH:IMAGE` or `PATH@DIGEST`; the first colon ends the path, as for skopeo. */
function parseFile(transport: FileTransport, rest: string, text: string): FileReference {
  if (rest.startsWith("//")) throw refused(text, `a path follows "${transport}:" at once`);
  if (rest.includes("\0")) throw refused(text, "it has a zero byte in it");
  const [, before, digest] = /^(.+)@([a-z0-9]+:[0-9a-zA-Z]+)$/.exec(rest) ?? [];
  if (digest !== undefined && digestIssue(digest) === undefined) {
    return { transport, ...pathOf(before!, text, transport), digest };
  }
  return { transport, ...pathOf(rest, text, transport) };
}

function pathOf(
  rest: string,
  text: string,
  transport: FileTransport,
): Pick<FileReference, "path" | "image"> {
  // A directory of skopeo's dir: holds one image, so that its path may have any letters.
  const at = transport === "dir" ? -1 : rest.indexOf(":");
  const [path, image] = at === -1 ? [rest] : [rest.slice(0, at), rest.slice(at + 1)];
  if (path === "") throw refused(text, "it has no path");
  if (image === "") throw refused(text, "it has no tag after the colon");
  return { path: path!, ...(image !== undefined && { image }) };
}

function parseRegistry(given: string, text: string): RegistryReference {
  const { rest, digest } = splitDigest(given, text);
  const slash = rest.indexOf("/");
  const first = slash === -1 ? "" : rest.slice(0, slash);
  const hasRegistry = isRegistry(first);
  const { name, tag } = splitTag(hasRegistry ? rest.slice(slash + 1) : rest, text);
  if (!hasRegistry && /^[./~]/.test(rest)) {
    throw refused(text, "it looks like a path", `oci:${given}`);
  }
  const registry = hasRegistry ? first : DEFAULT_REGISTRY;
  if (!HOST.test(registry)) throw refused(text, `${shown(registry)} is no host`);
  checkName(name, text);
  const official = registryName(registry);
  const repository = official === DEFAULT_REGISTRY && !name.includes("/")
    ? `library/${name}`
    : name;
  if (`${official}/${repository}`.length > 255) {
    throw refused(text, "a name has 255 letters at most");
  }
  const latest = tag === undefined && digest === undefined ? "latest" : tag;
  return {
    transport: "registry",
    registry: official,
    repository,
    ...(latest !== undefined && { tag: latest }),
    ...(digest !== undefined && { digest }),
  };
}

/** Whether the first part of a name is a registry: it could be no directory of docker.io's. */
function isRegistry(part: string): boolean {
  return /[.:]/.test(part) && !/^\.*$/.test(part) || part === "localhost" ||
    part !== part.toLowerCase();
}

/** The registry by its one name: docker.io has another, of old. */
function registryName(registry: string): string {
  return registry === "index.docker.io" ? DEFAULT_REGISTRY : registry;
}

function splitDigest(text: string, whole: string): { rest: string; digest?: string } {
  const at = text.indexOf("@");
  if (at === -1) return { rest: text };
  const digest = text.slice(at + 1);
  const issue = digestIssue(digest);
  if (issue !== undefined) throw refused(whole, `the digest ${shown(digest)} ${issue}`);
  return { rest: text.slice(0, at), digest };
}

function splitTag(text: string, whole: string): { name: string; tag?: string } {
  const at = text.indexOf(":", text.lastIndexOf("/") + 1);
  if (at === -1) return { name: text };
  const tag = text.slice(at + 1);
  if (tag === "") throw refused(whole, "it has no tag after the colon");
  if (!TAG.test(tag)) {
    throw refused(
      whole,
      `${shown(tag)} is no tag: up to 128 letters, digits and _ . -, the first no . or -`,
    );
  }
  return { name: text.slice(0, at), tag };
}

function checkName(name: string, text: string): void {
  if (/^[0-9a-f]{64}$/.test(name)) {
    throw refused(text, "64 digits are an identity and no name", `NAME@sha256:${name}`);
  }
  if (REPOSITORY.test(name)) return;
  const lower = name.toLowerCase();
  if (lower !== name && REPOSITORY.test(lower)) {
    throw refused(text, "the name of a repository has no capitals", text.replace(name, lower));
  }
  throw refused(
    text,
    `${shown(name)} is no name of a repository: small letters and digits, with single . and _ or ` +
      "- between them, in parts that / separates",
  );
}

function shown(text: string): string {
  return JSON.stringify(text);
}

function refused(text: string, why: string, instead?: string): ImageError {
  return new ImageError(`${shown(text)} is no reference of an image: ${why}`, {
    code: "reference",
    advice: instead === undefined ? [] : [`did you mean ${instead} ?`],
  });
}

/**
 * Returns a reference as its whole text: `docker.io/library/debian:12`. Cannot fail.
 *
 * @example
 * ```ts
 * import { parseReference, referenceText } from "@ramekin/ramekin/images";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(referenceText(parseReference("oci:./layout:tag")), "oci:./layout:tag");
 * ```
 */
export function referenceText(reference: Reference): string {
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  if (reference.transport === "registry") {
    const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
    return `${reference.registry}/${reference.repository}${tag}${digest}`;
  }
  const image = reference.image === undefined ? "" : `:${reference.image}`;
  return `${reference.transport}:${reference.path}${image}${digest}`;
}

/**
 * Returns a reference in the short form that people write: `debian:12`. Cannot fail.
 *
 * @example
 * ```ts
 * import { parseReference, shortReference } from "@ramekin/ramekin/images";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shortReference(parseReference("docker.io/library/debian:12")), "debian:12");
 * ```
 */
export function shortReference(reference: Reference): string {
  const whole = referenceText(reference);
  if (reference.transport !== "registry" || reference.registry !== DEFAULT_REGISTRY) return whole;
  return whole.replace(/^docker\.io\/(library\/(?=[^/]*$))?/, "");
}
