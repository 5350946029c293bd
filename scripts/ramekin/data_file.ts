/**
 * Recipes that are read by Deno alone, without a system call of the engine: for what runs on any
 * machine.
 *
 * @module
 */

import { RamekinError, type Recipe } from "../../mod.ts";
import { readRecipe } from "../../yaml/read.ts";
import { inputName, inputText, STDIN } from "./input.ts";
import { importRecipe, isCode, isData, notRecipe, variablesOf } from "./recipe_file.ts";
import { UsageError } from "./usage.ts";

/** A recipe that was read. */
export interface DataFile {
  readonly recipe: Recipe;
  /** Does something with the recipe; an error of a step gets the step's place in the file. */
  located<T>(use: () => T): T;
}

/**
 * Reads a recipe, or imports it; `-` is the standard input.
 *
 * @param settings values of its variables: `NAME=VALUE`
 */
export async function dataFile(named: string, settings: readonly string[]): Promise<DataFile> {
  const path = inputName(named);
  if (isCode(path)) {
    return { recipe: await importRecipe(path, settings), located: (use) => use() };
  }
  if (!isData(path)) throw notRecipe(path);
  const text = inputText(path);
  const { recipe, located } = readRecipe(text, {
    file: path,
    variables: variablesOf(settings),
    include: (name, from) => {
      if (path === STDIN) {
        throw new UsageError(`${name}: what comes by the standard input includes no files`);
      }
      const directory = Deno.realPathSync(directoryOf(path));
      const file = Deno.realPathSync(name.startsWith("/") ? name : `${directoryOf(from!)}/${name}`);
      if (!file.startsWith(`${directory}/`)) {
        throw new UsageError(`${name} is outside of the recipe's directory`);
      }
      return { file, text: Deno.readTextFileSync(file) };
    },
  });
  return {
    recipe,
    located(use) {
      try {
        return use();
      } catch (error) {
        throw error instanceof RamekinError ? located(error) : error;
      }
    },
  };
}

function directoryOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, end) || "/";
}
