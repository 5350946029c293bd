/**
 * `ramekin schema`: the JSON Schema of recipes.
 *
 * @module
 */

import { recipeSchema } from "../../yaml/mod.ts";
import { printJson } from "./output.ts";

/** Writes it. */
export function run(): number {
  printJson(recipeSchema());
  return 0;
}
