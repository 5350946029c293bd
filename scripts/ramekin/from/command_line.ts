/**
 * What the subcommands `from-...` have in common.
 *
 * @module
 */

import { wordsOf } from "../../../shell/words.ts";
import type { Arguments } from "../arguments.ts";
import { print, printError } from "../output.ts";
import { UsageError } from "../usage.ts";
import type { Translation } from "./translation.ts";
import { scriptOf, yamlOf } from "./write.ts";

/** The words behind the name of the tool: of one text, or behind `--`. */
export function wordsBehind(tool: string, given: Arguments): readonly string[] {
  const [text] = given.operands;
  if ((text === undefined) === (given.program.length === 0)) {
    throw new UsageError(`one command line is needed: '${tool} ...', or -- ${tool} ...`);
  }
  const [first, ...words] = text === undefined ? given.program : split(text);
  if (first !== tool && !first!.endsWith(`/${tool}`)) {
    throw new UsageError(`${first} is not ${tool}`);
  }
  return words;
}

function split(text: string): readonly string[] {
  try {
    return wordsOf(Object.assign([text], { raw: [text] }), []);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(
      `the command line is read without a shell, behind -- by yours: ${error.message}`,
    );
  }
}

/** Writes the recipe, and tells what is left out. Returns the exit status. */
export function writeRecipe(made: Translation, given: Arguments): number {
  print((given.has("ts") ? scriptOf(made) : yamlOf(made)).trimEnd());
  for (const text of made.lost) printError(`ramekin: left out: ${text}`);
  return made.lost.length === 0 ? 0 : 1;
}
