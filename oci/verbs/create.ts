/**
 * The verb `create`.
 *
 * @module
 */

import { type FlagTable, type Given, valueOf } from "../command_line.ts";
import { create, type CreateOptions } from "../create.ts";
import { OciError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** The flags of `create`, which `run` has too. */
export const CREATE_FLAGS: FlagTable = {
  values: ["bundle", "config", "pid-file", "console-socket", "pidfd-socket", "preserve-fds"],
  switches: ["no-pivot", "no-new-keyring", "detach", "keep", "no-subreaper"],
  letters: { b: "bundle", f: "config", d: "detach" },
};

export const flags: FlagTable = CREATE_FLAGS;

/** Makes a container that waits to be started. */
export function run(runtime: Runtime, given: Given): number {
  create(runtime, idOf(given), createOptions(given));
  return 0;
}

/** Returns the only word. */
export function idOf({ words }: Given): string {
  const [id, ...extra] = words;
  if (id === undefined) throw new OciError("the id of the container is missing");
  if (extra.length > 0) throw new OciError(`${extra[0]}: one word too many`);
  return id;
}

/** Reads the flags. */
export function createOptions(given: Given): CreateOptions {
  const bundle = absolute(valueOf(given, "bundle") ?? Deno.cwd());
  const file = (name: string) => {
    const path = valueOf(given, name);
    return path === undefined ? undefined : absolute(path);
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

/** Returns an absolute path, without a slash at its end. */
export function absolute(path: string): string {
  const whole = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return whole.length > 1 ? whole.replace(/\/+$/, "") : whole;
}
