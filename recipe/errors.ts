/**
 * What is wrong with a recipe, reported before anything runs.
 *
 * @module
 */

import { RamekinError } from "../ffi/errors.ts";

/**
 * A recipe that cannot be carried out as it is written.
 *
 * @example A mount that would change the host
 * ```ts
 * import { recipe, RecipeError, tmpfs } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => recipe(tmpfs("/tmp")).command("true"), RecipeError);
 * console.log(error.message);
 * ```
 */
export class RecipeError extends RamekinError {
  /** `"RecipeError"`. */
  override readonly name = "RecipeError";
}
