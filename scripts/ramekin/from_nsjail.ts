/**
 * `ramekin from-nsjail`: a recipe from a configuration of nsjail.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import { writeRecipe } from "./from/command_line.ts";
import { fromNsjail } from "./from/nsjail.ts";
import type { Translation } from "./from/translation.ts";
import { inputName, inputText } from "./input.ts";
import { UsageError } from "./usage.ts";

/** Writes it. */
export function run(given: Arguments): number {
  const path = inputName(given.operands[0]!);
  return writeRecipe(translated(path, inputText(path)), given);
}

function translated(path: string, text: string): Translation {
  try {
    return fromNsjail(text);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${path}: ${error.message}`) : error;
  }
}
