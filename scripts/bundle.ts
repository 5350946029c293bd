/**
 * `deno task bundle`: makes the files that are the shortest way from `deno run` to a container, and
 * one request or two for who has them from a URL.
 *
 * - `dist/ramekin.js`: the module and all that it reaches. Its types are those of `mod.ts`.
 * - `dist/command.js`: the command, as far as it runs a box that it has kept.
 * - `dist/sandbox.js`: what `ramekin sandbox` needs beside, but for rare flags.
 * - `dist/subcommands.js`: the rest of it. The modules of a subcommand run when it is used.
 * - `dist/decoding_thread.js`: the thread by which it decodes layers of images.
 * - `dist/oci.js`: the OCI runtime.
 *
 * What first runs call (bundle/first_run.txt, first_run_oci.txt) is compiled with the file; comments
 * and indentation are left out.
 *
 * @module
 */

import { compileEarly } from "./bundle/early.ts";
import { firstRun } from "./bundle/first_run.ts";
import { type Bundle, BUNDLES, plainBundle } from "./bundle/plain.ts";
import { squeezed } from "./bundle/squeeze.ts";

/** A bundle, as its file should be. */
export async function bundle(made: Bundle): Promise<string> {
  const names = firstRun(made);
  const text = compileEarly(await plainBundle(made), (name) => names.has(name));
  const whole = made.later === undefined ? text : await withBuild(text, made.later);
  return made.head + squeezed(whole);
}

/** Names what the command is built of in it: the digest of this file and of those for later. */
async function withBuild(text: string, later: NonNullable<Bundle["later"]>): Promise<string> {
  const texts = await Promise.all(later.map(({ file }) => bundle(BUNDLES[file])));
  const bytes = new TextEncoder().encode(text + texts.join(""));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const named = text.replace('BUILD = ""', `BUILD = "${digest}"`);
  if (named === text) throw new Error("the bundler has left BUILD out");
  return named;
}

if (import.meta.main) {
  for (const [file, made] of Object.entries(BUNDLES)) {
    await Deno.writeTextFile(new URL(`../${file}`, import.meta.url), await bundle(made));
  }
}
