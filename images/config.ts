/**
 * The configuration of an image: its layers' diff_ids, and how its program is started.
 *
 * @module
 */

import {
  invalid,
  isObject,
  type JsonObject,
  parseDocument,
  type Platform,
  texts,
} from "./descriptor.ts";
import { digestIssue, digestOf } from "./digest.ts";

/** The configuration of an image, as far as it is used. */
export interface ImageConfig {
  /** What it is for. */
  readonly platform: Platform;
  /** When it was made, as a text of RFC 3339. */
  readonly created?: string;
  /** The digests of the layers' archives, not compressed. */
  readonly diffIds: readonly string[];
  /** The user of the program: `name`, `uid`, `uid:gid`, `name:group`. */
  readonly user: string;
  /** Ports that the program serves: `80/tcp`. */
  readonly exposedPorts: readonly string[];
  /** Variables: `NAME=VALUE`. */
  readonly env: readonly string[];
  /** What is always run. */
  readonly entrypoint: readonly string[];
  /** What is run, or the arguments of the entry point. */
  readonly cmd: readonly string[];
  /** Directories that hold data of the program. */
  readonly volumes: readonly string[];
  /** The working directory. */
  readonly workingDir: string;
  /** What else is said of it. */
  readonly labels: Readonly<Record<string, string>>;
  /** The signal that asks the program to end: `SIGTERM`. */
  readonly stopSignal?: string;
}

/** The most characters of a path or a name: no path of the kernel is longer (PATH_MAX). */
const LONGEST = 4095;
/** The most directories for data: each may become mounts. */
const MOST_VOLUMES = 256;

/**
 * Parses the bytes of a configuration.
 *
 * @throws {ImageError} where it is none
 */
export function parseConfig(what: string, bytes: Uint8Array): ImageConfig {
  const document = parseDocument(what, bytes);
  const config = isObject(document["config"]) ? document["config"] : {};
  const { created } = document;
  const stopSignal = text(what, config, "StopSignal");
  return {
    platform: platformOf(what, document),
    diffIds: diffIdsOf(what, document),
    user: text(what, config, "User"),
    exposedPorts: keys(what, config, "ExposedPorts"),
    env: list(what, config, "Env"),
    entrypoint: list(what, config, "Entrypoint"),
    cmd: list(what, config, "Cmd"),
    volumes: volumesOf(what, config),
    workingDir: text(what, config, "WorkingDir"),
    labels: isObject(config["Labels"]) ? texts(config["Labels"]) : {},
    ...(typeof created === "string" && { created }),
    ...(stopSignal !== "" && { stopSignal }),
  };
}

function platformOf(what: string, document: JsonObject): Platform {
  const { os, architecture, variant } = document;
  // Old tools left both out, and meant these.
  if (os !== undefined && typeof os !== "string") {
    throw invalid(what, `has an "os" that is no text`);
  }
  return {
    os: os === undefined || os === "" ? "linux" : os,
    architecture: typeof architecture === "string" ? architecture : "",
    ...(typeof variant === "string" && variant !== "" && { variant }),
  };
}

function diffIdsOf(what: string, { rootfs }: JsonObject): readonly string[] {
  if (!isObject(rootfs)) throw invalid(what, `has no "rootfs"`);
  const ids = rootfs["diff_ids"] ?? [];
  if (!Array.isArray(ids)) throw invalid(what, `has "diff_ids" that are no list`);
  for (const [index, id] of ids.entries()) {
    const issue = digestIssue(id);
    if (issue !== undefined) throw invalid(what, `: diff_id ${index + 1} ${issue}`);
  }
  return ids;
}

function text(what: string, config: JsonObject, field: string): string {
  const value = config[field] ?? "";
  if (typeof value !== "string") throw invalid(what, `has a "${field}" that is no text`);
  if (value.includes("\0")) throw invalid(what, `has a zero byte in "${field}"`);
  checkLength(what, field, value);
  return value;
}

/** Each part of a path is looked up, and one of a stranger's could have millions. */
function checkLength(what: string, field: string, text: string): void {
  if (text.length <= LONGEST) return;
  throw invalid(what, `has a "${field}" of ${text.length} characters, and ${LONGEST} are the most`);
}

function volumesOf(what: string, config: JsonObject): readonly string[] {
  const volumes = keys(what, config, "Volumes");
  if (volumes.length > MOST_VOLUMES) throw invalid(what, `has more than ${MOST_VOLUMES} "Volumes"`);
  for (const path of volumes) checkLength(what, "Volumes", path);
  return volumes;
}

function list(what: string, config: JsonObject, field: string): readonly string[] {
  const value = config[field] ?? [];
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
  if (!isList) throw invalid(what, `has "${field}" that is no list of texts`);
  if (value.some((item) => item.includes("\0"))) {
    throw invalid(what, `has a zero byte in "${field}"`);
  }
  return value;
}

function keys(what: string, config: JsonObject, field: string): readonly string[] {
  const value = config[field] ?? {};
  if (!isObject(value)) throw invalid(what, `has "${field}" that is no object`);
  return Object.keys(value);
}

/**
 * The identity of a chain of layers, by which the root that they make together is known: see the image
 * specification, "Layer ChainID".
 */
export function chainIdOf(diffIds: readonly string[]): string {
  const [first, ...rest] = diffIds;
  if (first === undefined) return digestOf("");
  return rest.reduce((chain, diffId) => digestOf(`${chain} ${diffId}`), first);
}
