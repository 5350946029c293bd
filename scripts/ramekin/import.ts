/**
 * `ramekin import`: writes the recipe of a config.json.
 *
 * @module
 */

import { importOci } from "../../export/mod.ts";
import { recipe, RecipeError } from "../../mod.ts";
import { stringifyRecipe } from "../../yaml/mod.ts";
import type { Arguments } from "./arguments.ts";
import { FileError, readable, writable } from "./file_error.ts";
import { mayWrite, writeText } from "./files.ts";
import { grantingFlags } from "./from/write.ts";
import { fieldsIn, LEAVE_OUT } from "./leave_out.ts";
import { inputName, inputText, STDIN } from "./input.ts";
import { print, printJson } from "./output.ts";
import { UsageError } from "./usage.ts";

/** Writes the recipe. */
export function run(given: Arguments): number {
  const path = inputName(given.operands[0]!);
  const leaveOut = given.values(LEAVE_OUT.name).flatMap((value) => fieldsIn(value!));
  const output = given.value("output");
  if (given.has("json") && output !== undefined) {
    throw new UsageError("--json is for the standard output; leave out -o");
  }
  const text = inputText(path);
  const bundle = path === STDIN ? Deno.cwd() : directoryOf(path);
  const imported = importedFrom(path, () => importOci(text, { bundle, leaveOut }));
  if (given.has("json")) {
    printJson(imported);
    return 0;
  }
  const named = output === undefined || output === "-" ? "recipe.yaml" : output;
  const flags = grantingFlags(imported.steps);
  const words = ["ramekin", "run", named, ...flags, "--", ...imported.program];
  const yaml = `# ${words.map(word).join(" ")}\n${stringifyRecipe(recipe(...imported.steps))}`;
  if (output === undefined || output === "-") print(yaml.trimEnd());
  else if (mayWrite(output)) writable(output, () => Deno.writeTextFileSync(output, yaml));
  else writeText(output, yaml);
  return 0;
}

/** The directory of the file itself, wherever links lead to it. */
function directoryOf(path: string): string {
  const file = readable(path, () => Deno.realPathSync(path));
  return file.slice(0, file.lastIndexOf("/")) || "/";
}

/** Reads it; the error of what is no config.json, or says more than a recipe, names the file. */
function importedFrom<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new FileError(`${path} is no config.json: ${error.message}`, { cause: error });
    }
    if (!(error instanceof RecipeError)) throw error;
    const [issue, ...advice] = error.message.split("\n");
    throw new FileError(`${path}: ${issue}`, { cause: error, advice });
  }
}

// deno-lint-ignore no-control-regex -- a comment ends with its line
const CONTROL = /[\x00-\x1f\x7f]/;

/** A word as the shell takes it, on one line. */
function word(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!CONTROL.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = Array.from(
    text,
    (one) =>
      CONTROL.test(one) || /[\\']/.test(one)
        ? `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`
        : one,
  );
  return `$'${escaped.join("")}'`;
}
