/**
 * `deno task bundle`: makes two files that are the shortest way from `deno run` to a container, and
 * one request for who has them from a URL.
 *
 * - `dist/ramekin.js`: the module and all that it reaches. Its types are those of `mod.ts`.
 * - `dist/command.js`: the command. The modules of a subcommand run when it is used.
 *
 * What first runs call (bundle/first_run.txt) is compiled with the file.
 *
 * @module
 */

import { compileEarly } from "./bundle/early.ts";
import { firstRun } from "./bundle/first_run.ts";
import { type Bundle, BUNDLES, plainBundle } from "./bundle/plain.ts";

/** A bundle, as its file should be. */
export async function bundle(made: Bundle): Promise<string> {
  const names = firstRun();
  return made.head + compileEarly(await plainBundle(made), (name) => names.has(name));
}

if (import.meta.main) {
  for (const [file, made] of Object.entries(BUNDLES)) {
    await Deno.writeTextFile(new URL(`../${file}`, import.meta.url), await bundle(made));
  }
}
