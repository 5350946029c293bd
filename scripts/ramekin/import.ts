/**
 * `ramekin import`: writes the recipe of a config.json.
 *
 * @module
 */

import { importOci } from "../../export/mod.ts";
import { recipe } from "../../mod.ts";
import { stringifyRecipe } from "../../yaml/mod.ts";
import type { Arguments } from "./arguments.ts";
import { FileError, readable, writable } from "./file_error.ts";
import { mayWrite, writeText } from "./files.ts";
import { print, printJson } from "./output.ts";
import { UsageError } from "./usage.ts";

/** Writes the recipe. */
export function run(given: Arguments): number {
  const path = given.operands[0]!;
  const text = readable(path, () => Deno.readTextFileSync(path));
  const file = readable(path, () => Deno.realPathSync(path));
  const leaveOut = given.values("leave-out").flatMap((value) => value?.split(",") ?? []);
  const imported = importedFrom(
    path,
    () => importOci(text, { bundle: file.slice(0, file.lastIndexOf("/")) || "/", leaveOut }),
  );
  const output = given.value("output");
  if (given.has("json")) {
    if (output !== undefined) {
      throw new UsageError("--json is for the standard output; leave out -o");
    }
    printJson(imported);
    return 0;
  }
  const named = output === undefined || output === "-" ? "recipe.yaml" : output;
  const words = ["ramekin", "run", named, "--", ...imported.program];
  const yaml = `# ${words.map(word).join(" ")}\n${stringifyRecipe(recipe(...imported.steps))}`;
  if (output === undefined || output === "-") print(yaml.trimEnd());
  else if (mayWrite(output)) writable(output, () => Deno.writeTextFileSync(output, yaml));
  else writeText(output, yaml);
  return 0;
}

function importedFrom<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FileError(`${path} is no config.json: ${error.message}`);
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
