/**
 * The flags of a sandbox that show files otherwise than `--allow-read` and `--allow-write` do.
 *
 * @module
 */

import type { SandboxBind, SandboxOptions } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { listOf } from "./permission_flags.ts";
import { type Flag, UsageError } from "./usage.ts";

/** The flags, by their names. */
export const FILE_FLAGS: readonly Flag[] = [
  {
    name: "try-read",
    value: "PATHS",
    repeated: true,
    completes: "file",
    summary: "let files be read, if they are there",
  },
  {
    name: "bind",
    value: "PATH:TARGET",
    repeated: true,
    completes: "file",
    summary: "show a file at another path, to be changed; with :ro behind, it cannot be",
  },
  {
    name: "overlay",
    value: "PATHS",
    repeated: true,
    completes: "file",
    summary: "show directories whose changes are thrown away",
  },
  { name: "tmpfs", value: "PATHS", repeated: true, summary: "empty directories in memory" },
  {
    name: "root",
    value: "DIRECTORY",
    completes: "file",
    summary: "a directory with a system, in place of this machine's programs",
  },
  {
    name: "allow-device",
    value: "DEVICES",
    repeated: true,
    completes: "file",
    summary: "let devices be used: /dev/fuse, /dev/dri, vendor.com/gpu=0",
  },
  {
    name: "gpus",
    value: "NUMBERS",
    summary: "let graphics processors be used: all, or those of NVIDIA by number (0,1)",
  },
];

/** The options of a sandbox that these flags set. */
export type FileOptions = Pick<
  SandboxOptions,
  "tryRead" | "bind" | "overlay" | "tmpfs" | "root" | "devices" | "gpus"
>;

/** How paths are read: those that have to be there, and those that need not. */
export interface PathReading {
  /** Returns the path from the root. */
  path(path: string, flag: string): string;
  /** The same of a path that may be missing. */
  optional(path: string, flag: string): string;
}

/** The options of the sandbox that the flags ask for. */
export function filesOf(given: Arguments, reading: PathReading): FileOptions {
  const paths = (name: string, read: PathReading["path"]) =>
    (listOf(given, name) ?? []).map((path) => read(path, `--${name}=${path}`));
  const root = given.value("root");
  const lists = {
    tryRead: paths("try-read", reading.optional),
    bind: given.values("bind").map((text) => bindOf(text!, reading)),
    overlay: paths("overlay", reading.path),
    tmpfs: paths("tmpfs", reading.optional),
    devices: listOf(given, "allow-device") ?? [],
  };
  const gpus = gpusOf(given);
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(root !== undefined && { root: reading.path(root, `--root=${root}`) }),
    ...(gpus !== undefined && { gpus }),
  };
}

function gpusOf(given: Arguments): SandboxOptions["gpus"] {
  const text = given.value("gpus");
  if (text === undefined || text === "all") return text;
  if (/^\d{1,3}(,\d{1,3})*$/.test(text)) return text.split(",").map(Number);
  throw new UsageError(`--gpus=${text} is neither --gpus=all nor numbers as in --gpus=0,1`);
}

function bindOf(text: string, reading: PathReading): SandboxBind {
  const [source = "", target, mode, ...more] = text.split(":");
  const isRight = source !== "" && target?.startsWith("/") === true && more.length === 0 &&
    (mode === undefined || mode === "ro");
  if (!isRight) {
    throw new UsageError(
      `--bind=${text} is not of the form --bind=PATH:/TARGET or PATH:/TARGET:ro`,
    );
  }
  const path = reading.path(source, `--bind=${text}`);
  return mode === undefined ? [path, target] : [path, target, mode as "ro"];
}
