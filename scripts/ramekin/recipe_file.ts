/**
 * The recipe that a file holds: data in YAML or JSON, or a module of TypeScript.
 *
 * @module
 */

import { RamekinError, type Recipe, recipe, type RecipeInput } from "../../mod.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";
import { loadRecipeText, parseVariable, type Variable } from "../../yaml/mod.ts";
import { isExecutable } from "./executable.ts";
import { FileError, readable } from "./file_error.ts";
import { inputName } from "./input.ts";
import { settingOf } from "./setting.ts";
import { UsageError } from "./usage.ts";

/** A recipe from a file. */
export interface RecipeFile {
  readonly recipe: Recipe;
  /** Whether it is code and not data: it has run, and could have done anything. */
  readonly isCode: boolean;
  /** Does something with the recipe; an error of a step gets the step's place in the file. */
  located<T>(use: () => T | Promise<T>): Promise<T>;
}

/** Files of data, and open descriptors: `<(...)` of a shell is one. */
const DATA = /\.(ya?ml|json)$|^\/dev\/(stdin|fd\/\d+)$|^\/proc\/self\/fd\/\d+$/i;
const CODE = /\.[mc]?[jt]s$/i;

/**
 * Reads the file as the end of its name says.
 *
 * @param settings values of its variables: `NAME=VALUE`
 */
export async function recipeFile(
  named: string,
  settings: readonly string[],
): Promise<RecipeFile> {
  const path = inputName(named);
  if (DATA.test(path)) return readData(path, variablesOf(settings));
  if (!CODE.test(path)) throw notRecipe(path);
  const recipe = await importRecipe(path, settings);
  return { recipe, isCode: true, located: async (use) => await use() };
}

/** The error of a file that is no recipe by its name, or is not there. */
export function notRecipe(path: string): Error {
  const near = ENDS.map((end) => path + end).find((file) => kindOf(file) !== "missing");
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  const kind = kindOf(path);
  if (kind === "missing") {
    const image = IMAGE.test(path) ? `; an image is run by ramekin run --image=${path}` : "";
    return new FileError(
      `${path} cannot be read: there is no such file${meant || image || unexpanded(path)}`,
    );
  }
  const why = isExecutable(path)
    ? "it is an executable; a box is run by itself, and ramekin plan shows its recipe"
    : `${kind === "directory" ? "it is a directory, and " : ""}${NAMES_OF_RECIPES}`;
  return new UsageError(`${path} is not a recipe: ${why}${meant}`);
}

/** A name with a tag or a digest. */
const IMAGE = /^[a-z0-9][\w./-]*(:[\w.-]+|@sha\d+:[0-9a-f]+)$/;

const NAMES_OF_RECIPES = "a recipe's name ends with .yaml, .json or .ts";

/** How the names of recipes end. */
const ENDS = [".yaml", ".yml", ".json", ".ts", ".js"];

function kindOf(path: string): "missing" | "directory" | "other" {
  try {
    return Deno.statSync(path).isDirectory ? "directory" : "other";
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    // Deno looks at files of /proc and /dev with all permissions only.
    return isMissing ? "missing" : "other";
  }
}

/** Whether a path is that of a recipe as data, by its name. */
export function isData(path: string): boolean {
  return DATA.test(path);
}

/** Whether a path is that of a recipe as code, by its name. */
export function isCode(path: string): boolean {
  return CODE.test(path);
}

function readData(path: string, variables: Readonly<Record<string, Variable>>): RecipeFile {
  const { recipe, located } = readable(path, () => loadRecipeText(path, { variables }));
  return {
    recipe,
    isCode: false,
    async located(use) {
      try {
        return await use();
      } catch (error) {
        throw error instanceof RamekinError ? located(error) : error;
      }
    },
  };
}

/** Loads the recipe that a module exports. */
export async function importRecipe(path: string, settings: readonly string[]): Promise<Recipe> {
  if (settings.length > 0) {
    throw new UsageError("--set is for recipes in YAML and JSON; a module reads its own settings");
  }
  const url = new URL(encodeURI(path).replace(/[?#]/g, encodeURIComponent), directoryUrl());
  readable(path, () => Deno.statSync(url));
  const module = await imported(path, url);
  const name = NAMES.find((name) => hasSteps(module[name]));
  if (name === undefined) {
    throw new FileError(`${path} exports no recipe: export it as default, "recipe" or "box"`);
  }
  // The module may have another copy of the class.
  return recipe(...(module[name] as { steps: RecipeInput[] }).steps);
}

const NAMES = ["default", "recipe", "box"];

/** Imports the module; its error names it, and shows Deno's without colours. */
async function imported(path: string, url: URL): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(url.href);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof RamekinError) throw error;
    const [text, ...rest] = withoutColours(error.message).split("\n");
    const bare = /^Import "([^"]*)" not a dependency/.exec(text!)?.[1];
    if (bare === undefined) {
      const advice = /\brun again with the --allow-/.test(text!) ? [...rest, PERMISSION] : rest;
      throw new FileError(`${path}: ${text}`, { cause: error, advice });
    }
    const place = rest.findLast((line) => /^\s*at /.test(line));
    throw new FileError(
      `${path}: nothing says what "${bare}" is${place?.replace(/^\s*/, ", ") ?? ""}`,
      {
        cause: error,
        advice: [IMPORTS],
      },
    );
  }
}

const IMPORTS =
  "  a recipe imports files and URLs, as ramekin has no packages for it; for Ramekin, mod.ts";

const PERMISSION = "  a recipe that is code may do what ramekin may: give deno that flag, too";

/** Deno colours the errors of modules, whatever they are shown on. */
function withoutColours(text: string): string {
  // deno-lint-ignore no-control-regex -- these are the escape codes of colours
  return text.replace(/\x1b\[[\d;]*m/g, "");
}

function directoryUrl(): string {
  return `file://${encodeURI(Deno.cwd()).replace(/[?#]/g, encodeURIComponent)}/`;
}

function hasSteps(value: unknown): boolean {
  return typeof value === "object" && value !== null && "steps" in value &&
    Array.isArray(value.steps);
}

/** The variables that `--set` gives values. */
export function variablesOf(settings: readonly string[]): Record<string, Variable> {
  return Object.fromEntries(settings.map((setting) => {
    const [name, value] = settingOf(setting);
    return [name, parseVariable(value)];
  }));
}
