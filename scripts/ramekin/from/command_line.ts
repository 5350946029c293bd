/**
 * What the subcommands `from-...` have in common.
 *
 * @module
 */

import { recipe } from "../../../mod.ts";
import { WordsError, wordsOf } from "../../../shell/words.ts";
import type { Arguments } from "../arguments.ts";
import { print, printError, printJson } from "../output.ts";
import { UsageError } from "../usage.ts";
import type { Translation } from "./translation.ts";
import { scriptOf, yamlOf } from "./write.ts";

/** The words behind the name of the tool: of one text, or behind `--`. */
export function wordsBehind(tool: string, given: Arguments): readonly string[] {
  const [text] = given.operands;
  if ((text === undefined) === (given.program.length === 0)) {
    throw new UsageError(`one command line is needed: '${tool} ...', or -- ${tool} ...`);
  }
  const [first, ...words] = text === undefined ? given.program : split(tool, text);
  if (first !== tool && !first!.endsWith(`/${tool}`)) {
    throw new UsageError(`${first} is not ${tool}, which is the first word of its command line`);
  }
  return words;
}

function split(tool: string, text: string): readonly string[] {
  try {
    return wordsOf(Object.assign([text], { raw: [text] }), []);
  } catch (error) {
    if (!(error instanceof WordsError)) throw error;
    throw new UsageError(
      `the command line is read without a shell: ${error.issue}; your shell reads the words ` +
        `behind --: -- ${tool} ...`,
    );
  }
}

/** Writes the recipe, and tells what is left out. Returns the exit status. */
export function writeRecipe(made: Translation, given: Arguments): number {
  if (given.has("json") && given.has("ts")) {
    throw new UsageError("--json and --ts: the recipe is written in one form");
  }
  const { steps, program, lost } = made;
  if (given.has("json")) printJson({ steps: recipe(...steps).steps, program, lost });
  else print((given.has("ts") ? scriptOf(made) : yamlOf(made)).trimEnd());
  for (const text of lost) printError(`ramekin: left out: ${text}`);
  return lost.length === 0 ? 0 : 1;
}
