/**
 * Words that are no files: those which `recipe.command()` takes for its streams.
 *
 * @module
 */

import type { CommandTarget } from "./pipeline.ts";

/** What does here what a word does as an option of `recipe.command()`. */
const KIND_ADVICE: ReadonlyMap<unknown, string> = new Map([
  ["null", "use .quiet() to drop it"],
  ["piped", "use .text(), .bytes() or .lines() to read it"],
  ["inherit", "leave it out, as the script's own is the default"],
  ["stdout", "use .all() for both outputs in one"],
]);

/** Refuses a word that is likely not meant as the name of a file. */
export function refuseKind(method: string, target: CommandTarget): void {
  const advice = KIND_ADVICE.get(target);
  if (advice === undefined) return;
  throw new TypeError(
    `${method}("${target}") would write to a file of this name: ${advice}, or write "./${target}" ` +
      "for the file",
  );
}
