/**
 * The command line of `create`, which `run` has too.
 *
 * @module
 */

import { type FlagTable, type Given, valueOf } from "./command_line.ts";
import type { CreateOptions } from "./create.ts";
import { OciError } from "./errors.ts";

/** The flags. */
export const CREATE_FLAGS: FlagTable = {
  values: ["bundle", "config", "pid-file", "console-socket", "pidfd-socket", "preserve-fds"],
  switches: ["no-pivot", "no-new-keyring", "detach", "keep", "no-subreaper"],
  letters: { b: "bundle", f: "config", d: "detach" },
};

/** Returns the only word. */
export function idOf({ words }: Given): string {
  const [id, ...extra] = words;
  if (id === undefined) throw new OciError("the id of the container is missing");
  if (extra.length > 0) throw new OciError(`${extra[0]}: one word too many`);
  return id;
}

/**
 * Reads the flags.
 *
 * @param directory the working directory of the caller
 */
export function createOptions(given: Given, directory: string = Deno.cwd()): CreateOptions {
  const bundle = absolute(valueOf(given, "bundle") ?? directory, directory);
  const file = (name: string) => {
    const path = valueOf(given, name);
    return path === undefined ? undefined : absolute(path, directory);
  };
  const count = Number(valueOf(given, "preserve-fds") ?? 0);
  if (!Number.isInteger(count) || count < 0) {
    throw new OciError("--preserve-fds: it takes a number of descriptors");
  }
  return {
    bundle,
    config: file("config") ?? `${bundle}/config.json`,
    pidFile: file("pid-file"),
    consoleSocket: file("console-socket"),
    pidfdSocket: file("pidfd-socket"),
    preserveFds: count,
  };
}

/** Returns an absolute path, without a slash at its end; a relative one is of a directory. */
export function absolute(path: string, directory?: string): string {
  const whole = path.startsWith("/") ? path : `${directory ?? Deno.cwd()}/${path}`;
  return whole.length > 1 ? whole.replace(/\/+$/, "") : whole;
}
