/**
 * `ramekin from-unshare`: a recipe from a command line of unshare(1).
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import { wordsBehind, writeRecipe } from "./from/command_line.ts";
import { fromUnshare } from "./from/unshare.ts";

/** Writes it. */
export function run(given: Arguments): number {
  return writeRecipe(fromUnshare(wordsBehind("unshare", given)), given);
}
