/**
 * A request to the planner: the command line of the runtime.
 *
 * @module
 */

import { readFlags } from "../command_line.ts";
import { configFor } from "../create.ts";
import { GLOBAL_FLAGS, runtimeOf } from "../runtime.ts";
import { absolute, CREATE_FLAGS, createOptions, idOf } from "../create_options.ts";
import type { Client } from "./client.ts";
import { type CreateRequest, isPlanned } from "./create_for.ts";

/** How many words of a request are not those of the runtime: the build, the command, and its flag. */
const OWN_WORDS = 3;

/**
 * Reads a request: the build of the command, and the words that it would be called with, each with a
 * NUL at its end. Returns `undefined` for one that is left to the runtime, which says what is wrong.
 *
 * @param build the build of the planner, which has to be that of the command
 */
export function readRequest(
  packet: string,
  build: string,
  client: Client,
): CreateRequest | undefined {
  const words = packet.split("\0").slice(0, -1);
  if (words[0] !== build) return undefined;
  try {
    const given = readFlags(words.slice(OWN_WORDS), GLOBAL_FLAGS);
    const [verb, ...rest] = given.words;
    if (verb !== "create" || given.flags.has("version") || given.flags.has("help")) {
      return undefined;
    }
    const { workingDirectory } = client;
    const { root, log, ...settings } = runtimeOf(given);
    const runtime = {
      ...settings,
      root: absolute(root, workingDirectory),
      log: log === undefined ? undefined : absolute(log, workingDirectory),
    };
    const flags = readFlags(rest, CREATE_FLAGS);
    const options = createOptions(flags, workingDirectory);
    const config = configFor(options);
    return isPlanned(config, options) ? { runtime, id: idOf(flags), config, options } : undefined;
  } catch {
    return undefined;
  }
}
