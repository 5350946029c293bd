/**
 * The flags of the subcommands about images, and what they ask for.
 *
 * @module
 */

import { ImageError } from "../../images/errors.ts";
import type {
  NewConfig,
  PullOptions,
  RegistryOptions,
  RunOptions,
  Volume,
} from "../../images/mod.ts";
import { parsePlatform } from "../../images/platform.ts";
import { linux } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { ifThere } from "./files.ts";
import { bytesOf } from "./units.ts";
import { type Flag, UsageError } from "./usage.ts";

const PLATFORM: Flag = {
  name: "platform",
  value: "PLATFORM",
  check: platformIn,
  completes: ["linux/amd64", "linux/arm64"],
  summary: "the platform of the image, in place of this machine's: linux/arm64",
};

const MAX_SIZE: Flag = {
  name: "max-size",
  value: "SIZE",
  check: bytesOf,
  summary: "the most bytes of the image's layers, and of the archives in them; 32g without it",
};

const MAX_STORE_SIZE: Flag = {
  name: "max-store-size",
  value: "SIZE",
  summary: "pull nothing for which the store would become larger; without it there is no bound",
};

/** The key of what comes from a registry. */
export const VERIFY_KEY: Flag = {
  name: "verify-key",
  value: "FILE",
  completes: "file",
  summary: "a public key (PEM) by which the image has to be signed, as cosign does",
};

/** The flags of what is pulled; the first one is the platform. */
export const PULL_FLAGS: readonly Flag[] = [
  PLATFORM,
  MAX_SIZE,
  MAX_STORE_SIZE,
  { name: "no-unpack", summary: "unpack it when it is first run" },
];

/** The flags of how registries are reached. */
export const REGISTRY_FLAGS: readonly Flag[] = [
  {
    name: "plain-http",
    summary: "reach the registry without TLS, which is tried for this machine's own anyway",
  },
  {
    name: "mirror",
    value: "REGISTRY=HOST",
    repeated: true,
    check: mirrorOf,
    summary: "ask another registry first: docker.io=mirror.example",
  },
];

/** The flags of what is told meanwhile. */
export const REPORT_FLAGS: readonly Flag[] = [
  { name: "quiet", letter: "q", summary: "tell nothing of what goes on" },
  { name: "json", summary: "write the result as JSON" },
];

/** The flags of `ramekin run --image`. */
export const IMAGE_RUN_FLAGS: readonly Flag[] = [
  { name: "image", value: "IMAGE", completes: "image", summary: "the image, as debian:12" },
  {
    name: "pull",
    value: "WHEN",
    completes: ["missing", "always", "never"],
    summary: "when to pull it: missing (where it is not in the store), always or never",
  },
  PLATFORM,
  MAX_SIZE,
  MAX_STORE_SIZE,
  VERIFY_KEY,
  {
    name: "volume",
    letter: "v",
    value: "PATH:TARGET",
    repeated: true,
    summary: "show a file or directory of this machine; with :ro behind, it cannot be changed",
  },
  {
    name: "env",
    letter: "e",
    value: "NAME=VALUE",
    repeated: true,
    check: variableOf,
    summary: "set a variable",
  },
  { name: "user", letter: "u", value: "USER", summary: "the user: a name of the image's, or ids" },
  { name: "workdir", letter: "w", value: "PATH", summary: "the working directory" },
  { name: "entrypoint", value: "PROGRAM", summary: "run this in place of the entry point" },
  { name: "hostname", value: "NAME", summary: "the name of the container" },
  { name: "read-only", summary: "let nothing of its files be changed" },
  {
    name: "keep",
    value: "DIRECTORY",
    completes: "file",
    summary: "keep what the program changes in a directory, for the next run",
  },
];

/** The flags of how the program of an image is started. */
export const PROGRAM_FLAGS: readonly Flag[] = IMAGE_RUN_FLAGS.filter(({ name }) =>
  ["env", "user", "workdir", "entrypoint"].includes(name)
);

/** The options of a pull. */
export function pullOptions(given: Arguments): PullOptions {
  const [platform, maxSize] = [platformOf(given), given.value("max-size")];
  const [verifyKey, maxStore] = [given.value("verify-key"), given.value("max-store-size")];
  return {
    ...registryOptions(given),
    ...(maxSize !== undefined && { maxBytes: bytesOf(maxSize, "max-size") }),
    ...(maxStore !== undefined && { maxStoreBytes: bytesOf(maxStore, "max-store-size") }),
    ...(platform !== undefined && { platform }),
    ...(verifyKey !== undefined && { verifyKey }),
    ...(given.has("no-unpack") && { unpack: false }),
  };
}

/** The platform. */
export function platformOf(given: Arguments): string | undefined {
  return given.value("platform");
}

/** A platform, which is looked at here so that the error names the flag. */
function platformIn(text: string): void {
  try {
    parsePlatform(text);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new UsageError(`--platform=${text} is no platform; ${error.advice.join("; ")}`);
  }
}

/** The options of a registry. */
export function registryOptions(given: Arguments): RegistryOptions {
  const mirrors: Record<string, string[]> = {};
  for (const text of given.values("mirror")) {
    const [registry, host] = mirrorOf(text!);
    (mirrors[registry] ??= []).push(host);
  }
  return { mirrors, ...(given.has("plain-http") && { plainHttp: true }) };
}

/** The options of a container of an image. */
export function runOptions(given: Arguments): RunOptions {
  const { entrypoint, user, workdir, hostname, keep } = valuesOf(given);
  if (keep !== undefined && given.has("read-only")) {
    throw new UsageError("--keep and --read-only: what is not changed cannot be kept");
  }
  return {
    ...(given.has("read-only") && { readOnly: true }),
    ...(keep !== undefined && { persistent: absolute(keep) }),
    volumes: Object.fromEntries(given.values("volume").map((text) => volumeOf(text!))),
    env: variablesOf(given),
    net: given.has("allow-net") ? "host" : "none",
    ...(entrypoint !== undefined && { entrypoint: [entrypoint] }),
    ...(user !== undefined && { user }),
    ...(workdir !== undefined && { cwd: workdir }),
    ...(hostname !== undefined && { hostname }),
  };
}

/** How the program of a new image is started, by the flags and the words after `--`. */
export function programOf(given: Arguments): NewConfig {
  const [entrypoint, user, workdir] = ["entrypoint", "user", "workdir"].map((flag) =>
    given.value(flag)
  );
  return {
    ...(entrypoint !== undefined && { entrypoint: [entrypoint] }),
    ...(user !== undefined && { user }),
    ...(workdir !== undefined && { workingDir: workdir }),
    ...(given.has("env") && { env: variablesOf(given) }),
    ...(given.program.length > 0 && { cmd: given.program }),
  };
}

/** The variables that the flags set. */
export function variablesOf(given: Arguments): Readonly<Record<string, string>> {
  return Object.fromEntries(given.values("env").map((text) => variableOf(text!)));
}

function valuesOf(given: Arguments) {
  return {
    entrypoint: given.value("entrypoint"),
    user: given.value("user"),
    workdir: given.value("workdir"),
    hostname: given.value("hostname"),
    keep: given.value("keep"),
  };
}

function volumeOf(text: string): [string, Volume] {
  const [source, target, mode, ...more] = text.split(":");
  const isRight = source !== "" && target?.startsWith("/") && more.length === 0 &&
    (mode === undefined || mode === "ro" || mode === "rw");
  if (!isRight) {
    throw new UsageError(
      `--volume=${text} is not of the form --volume=PATH:/TARGET or PATH:/TARGET:ro`,
    );
  }
  if (ifThere(() => linux.statx(linux.AT_FDCWD, source!)) === undefined) {
    throw new UsageError(`--volume=${text}: there is no such file; make it first`);
  }
  return [target!, { source: absolute(source!), readOnly: mode === "ro" }];
}

function mirrorOf(text: string): [string, string] {
  const [registry, host] = split(text, "=");
  if (registry !== "" && host !== "") return [registry, host];
  throw new UsageError(`--mirror=${text} is not of the form --mirror=REGISTRY=HOST`);
}

function variableOf(text: string): [string, string] {
  const [name, value] = split(text, "=");
  if (name === "" || !text.includes("=")) {
    throw new UsageError(`--env=${text} is not of the form --env=NAME=VALUE`);
  }
  return [name, value];
}

function split(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** A path from the working directory as one from the root. */
export function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}
