/**
 * The validation of the options of a box.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import { invalidField, isObject, lazy, list, oneOf, optional, text } from "../recipe/schema.ts";
import type { Schemas } from "../recipe/schema.ts";
import { shown } from "../recipe/shown.ts";
import type { BoxOptions } from "./build_box.ts";

const boxFields = lazy((): Schemas<BoxOptions> => ({
  program: optional(list(text())),
  architecture: optional(oneOf(["x86_64", "aarch64"])),
  for: optional(oneOf(["root", "user"])),
  cwd: optional(oneOf(["root", "caller"])),
}));

const programName = lazy(() => text({ min: 1 }));

/**
 * Checks what a box is built of, as far as it is not the steps.
 *
 * @throws {TypeError} if the recipe is none, or an option is invalid
 */
export function checkBox(recipe: unknown, options: unknown): void {
  if (!isObject(recipe) || !Array.isArray(recipe["steps"])) {
    throw invalid(`buildBox() takes a recipe first: recipe(...steps), not ${shown(recipe)}`);
  }
  if (!isObject(options)) {
    throw invalid(`the box's options should be an object, not ${shown(options)}`);
  }
  const wrong = invalidField(options, boxFields());
  if (wrong !== undefined) throw invalid(`the box's option "${wrong.field}" ${wrong.issue}`);
  const [name] = options["program"] as BoxOptions["program"] ?? [];
  const issue = name === undefined ? undefined : programName().issue(name);
  if (issue !== undefined) throw invalid(`the name of the box's program ${issue}`);
}

function invalid(message: string): TypeError {
  return new TypeError(escapeControls(message));
}
