/**
 * `ramekin schema`: the JSON Schema of recipes.
 *
 * @module
 */

import { printJson } from "./output.ts";
import { recipeSchema } from "../../yaml/json_schema.ts";

/** Writes it. */
export function run(): number {
  printJson(recipeSchema());
  return 0;
}
