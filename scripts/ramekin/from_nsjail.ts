/**
 * `ramekin from-nsjail`: a recipe from a configuration of nsjail.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import { readable } from "./file_error.ts";
import { writeRecipe } from "./from/command_line.ts";
import { fromNsjail } from "./from/nsjail.ts";

/** Writes it. */
export function run(given: Arguments): number {
  const path = given.operands[0]!;
  return writeRecipe(fromNsjail(readable(path, () => Deno.readTextFileSync(path))), given);
}
