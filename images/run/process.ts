/**
 * The program of an image: what it is, and how it is started.
 *
 * @module
 */

import type { UserEntry } from "../../host/accounts.ts";
import { DEFAULT_PATH } from "../../recipe/default_path.ts";
import type { ImageConfig } from "../config.ts";
import { ImageError } from "../errors.ts";
import { findUser } from "./users.ts";

/** What is run in place of what the image says. */
export interface ProcessOptions {
  /** In place of the entry point; the image's command is left out then, too. */
  readonly entrypoint?: readonly string[];
  /** The user: `name`, `uid`, `name:group`, `uid:gid`. */
  readonly user?: string;
  /** Further variables, or others. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly cwd?: string;
}

/** A program as an image starts it. */
export interface ImageProcess {
  /** The program and its arguments. */
  readonly args: readonly string[];
  /** All of its variables. */
  readonly env: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly cwd: string;
  /** The user. */
  readonly user: UserEntry;
  /** The signal that asks it to end. */
  readonly stopSignal: string;
  /** Directories for data of the program. */
  readonly volumes: readonly string[];
  /** Ports that it serves: `80/tcp`. */
  readonly exposedPorts: readonly string[];
}

/**
 * Returns the program of an image.
 *
 * @param root the directory of the image's files
 * @param words the arguments of the entry point, in place of the image's command
 * @throws {ImageError} where there is no program, or no such user
 */
export function processOf(
  config: ImageConfig,
  root: string,
  words: readonly string[],
  options: ProcessOptions = {},
): ImageProcess {
  const { entrypoint, cwd = config.workingDir || "/" } = options;
  const first = entrypoint ?? config.entrypoint;
  const rest = words.length > 0 || entrypoint !== undefined ? words : config.cmd;
  const args = [...first, ...rest];
  if (args.length === 0) {
    throw new ImageError("the image names no program to run", {
      code: "invalid",
      advice: ["name one: -- sh"],
    });
  }
  const user = findUser(root, options.user ?? config.user);
  return {
    args,
    env: { ...variablesOf(config, user), ...options.env },
    cwd: cwd.startsWith("/") ? cwd : `/${cwd}`,
    user,
    stopSignal: config.stopSignal ?? "SIGTERM",
    volumes: config.volumes,
    exposedPorts: config.exposedPorts,
  };
}

/** The variables of an image, with those that every program needs. */
function variablesOf({ env }: ImageConfig, { home }: UserEntry): Record<string, string> {
  const own = env.flatMap((text) => {
    const at = text.indexOf("=");
    return at > 0 ? [[text.slice(0, at), text.slice(at + 1)] as const] : [];
  });
  const variables: Record<string, string> = { PATH: DEFAULT_PATH, ...Object.fromEntries(own) };
  // One that is there and empty means none, as runtimes take it.
  if (!variables["HOME"]) variables["HOME"] = home;
  return variables;
}
