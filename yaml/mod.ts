/**
 * Recipes as YAML or JSON texts. This is an entry of its own, as it needs a parser from npm, and
 * the main entry has no dependency.
 *
 * ```yaml
 * variables:
 *   name: box
 * steps:
 *   - step: unshare
 *     kinds: [user, mount, uts]
 *   - step: mapRoot
 *   - step: hostname
 *     name: ${name}
 *   - include: private-tmp.yaml
 * ```
 *
 * A variable without a default (`size: null`) needs a value. Each step is the same data that its
 * builder returns in TypeScript.
 *
 * @module
 */

import type { Recipe } from "../container/recipe.ts";
import { constructFromEvents, CORE_SCHEMA, dump, parseEvents } from "./js_yaml.ts";
import { type ParseOptions, readRecipe, type RecipeSource, type RecipeText } from "./read.ts";
import { writtenStep } from "../recipe/written_step.ts";
import { directoryOf, includeFile, readRecipeFile } from "./recipe_files.ts";
import { escapeVariables, type Variable } from "./variables.ts";

export { recipeSchema } from "./json_schema.ts";
export type { JsonSchema } from "../recipe/schema.ts";
export type { ParseOptions, RecipeSource, RecipeText, Variable };

/** Options of {@linkcode loadRecipe}. */
export interface LoadOptions extends Pick<ParseOptions, "variables"> {
  /** Further directories that files may be included from, beside that of the recipe. */
  readonly includeFrom?: readonly string[];
}

/**
 * Parses a recipe.
 *
 * @throws {RecipeError} with the line and column of the error
 *
 * @example
 * ```ts
 * import { parseRecipe } from "@ramekin/ramekin/yaml";
 * import { assertEquals } from "@std/assert";
 *
 * const box = parseRecipe("steps: [{ step: hostname, name: '${name}' }]", {
 *   variables: { name: "box" },
 * });
 * assertEquals(box.steps, [{ step: "hostname", name: "box" }]);
 * ```
 */
export function parseRecipe(text: string, options: ParseOptions = {}): Recipe {
  return readRecipe(text, options).recipe;
}

/**
 * Reads a recipe from a file, with the files that it includes, by paths relative to its directory.
 * Included files have to be in the directory of the recipe, after symbolic links are followed, or
 * in one of `includeFrom`. Only regular files are opened; `/dev/stdin` and `/dev/fd/N` are read as
 * the open descriptors that they are.
 *
 * @throws {RecipeError} with the file, line and column of the error
 * @throws {Deno.errors.NotFound} where there is no such file
 * @tags allow-read, allow-ffi
 *
 * @example
 * ```ts
 * import { loadRecipe } from "@ramekin/ramekin/yaml";
 *
 * const load = () => loadRecipe("box.yaml", { variables: { name: "box" } });
 * ```
 */
export function loadRecipe(
  path: string | URL,
  options: LoadOptions = {},
): Recipe {
  return loadRecipeText(path, options).recipe;
}

/**
 * Reads a recipe like {@linkcode loadRecipe}, and keeps the positions of its steps: an error of a
 * later moment, when the recipe is planned or run, can then name its place in the text.
 *
 * @throws {RecipeError} with the file, line and column of the error
 * @throws {Deno.errors.NotFound} where there is no such file
 * @tags allow-read, allow-ffi
 *
 * @example
 * ```ts
 * import { loadRecipeText } from "@ramekin/ramekin/yaml";
 *
 * const load = () => loadRecipeText("box.yaml").recipe.plan();
 * ```
 */
export function loadRecipeText(
  path: string | URL,
  options: LoadOptions = {},
): RecipeText {
  const file = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  const directories = [directoryOf(file), ...(options.includeFrom ?? [])];
  const include = (path: string, from: string | undefined) => includeFile(path, from!, directories);
  return readRecipe(readRecipeFile(file), { ...options, file, include });
}

/**
 * Returns a recipe as YAML, from which {@linkcode parseRecipe} makes the same recipe. Cannot fail.
 *
 * @example
 * ```ts
 * import { hostname, recipe, unshare } from "@ramekin/ramekin";
 * import { parseRecipe, stringifyRecipe } from "@ramekin/ramekin/yaml";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe(unshare("uts"), hostname("box"));
 * assertEquals(parseRecipe(stringifyRecipe(box)).steps, box.steps);
 * ```
 */
export function stringifyRecipe(recipe: Recipe): string {
  const escaped = JSON.parse(
    JSON.stringify({ steps: recipe.steps.map(writtenStep) }),
    (_, value) => typeof value === "string" ? escapeVariables(value) : value,
  );
  return dump(escaped, { flowLevel: 3, noRefs: true, lineWidth: 100 });
}

/**
 * Reads the value of a variable as YAML would: a number, a boolean or a text. What is more to YAML,
 * a list for example, stays a text. Cannot fail.
 *
 * @example
 * ```ts
 * import { parseVariable } from "@ramekin/ramekin/yaml";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["7", "true", "a: b"].map(parseVariable), [7, true, "a: b"]);
 * ```
 */
export function parseVariable(text: string): Variable {
  try {
    const [value] = constructFromEvents(parseEvents(text, {}), {
      source: text,
      schema: CORE_SCHEMA,
    });
    return ["string", "number", "boolean"].includes(typeof value) ? value as Variable : text;
  } catch {
    return text;
  }
}
