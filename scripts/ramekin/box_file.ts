/**
 * The recipe that a box has in its note.
 *
 * @module
 */

import { type BoxNote, isBoxOf, readBoxNote } from "../../box/mod.ts";
import { recipe } from "../../mod.ts";
import { isExecutable } from "./executable.ts";
import { VERSION } from "./version.ts";
import { FileError } from "./file_error.ts";
import type { RecipeFile } from "./recipe_file.ts";

/** The recipe of a box, and what else its note says. */
export interface BoxFile extends RecipeFile {
  readonly note: BoxNote;
}

/** The recipe of a box; `undefined` if the file is no executable, or cannot be read. */
export function recipeOfBox(path: string): BoxFile | undefined {
  if (!isExecutable(path)) return undefined;
  const file = Deno.readFileSync(path);
  const note = readBoxNote(file);
  if (note === undefined) {
    throw new FileError(`${path} is no box: an executable without the note of ramekin build`);
  }
  if (!isBoxOf(file, note)) {
    const { version } = note;
    const other = version === VERSION ? "it has been changed" : `it is of Ramekin ${version}`;
    throw new FileError(
      `${path} is not what this Ramekin builds of the recipe in it: ${other}, and may do something else`,
    );
  }
  return {
    note,
    recipe: recipe(...note.recipe.steps),
    isCode: false,
    located: async (use) => await use(),
  };
}
