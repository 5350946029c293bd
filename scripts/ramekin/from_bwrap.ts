/**
 * `ramekin from-bwrap`: a recipe from a command line of bubblewrap.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import { fromBwrap } from "./from/bwrap.ts";
import { wordsBehind, writeRecipe } from "./from/command_line.ts";

/** Writes it. */
export function run(given: Arguments): number {
  return writeRecipe(fromBwrap(wordsBehind("bwrap", given)), given);
}
