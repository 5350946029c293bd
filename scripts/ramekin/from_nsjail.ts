/**
 * `ramekin from-nsjail`: a recipe from a configuration of nsjail.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import { readable } from "./file_error.ts";
import { writeRecipe } from "./from/command_line.ts";
import { fromNsjail } from "./from/nsjail.ts";
import type { Translation } from "./from/translation.ts";
import { UsageError } from "./usage.ts";

/** Writes it. */
export function run(given: Arguments): number {
  const path = given.operands[0]!;
  const text = readable(path, () => Deno.readTextFileSync(path));
  return writeRecipe(translated(path, text), given);
}

function translated(path: string, text: string): Translation {
  try {
    return fromNsjail(text);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${path}: ${error.message}`) : error;
  }
}
