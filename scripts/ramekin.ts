/**
 * `ramekin`: recipes, sandboxes and containers from the command line. It is installed with the
 * permissions that it needs: for system calls, to read recipes, and for lists of hosts
 * (`--allow-net=...`), which programs reach through it. `dist/command.js` is its beginning in one file;
 * `dist/subcommands.js` has all the rest, and `dist/sandbox.js` what `ramekin sandbox` needs of it.
 *
 *     deno install --global --allow-ffi --allow-read --allow-net --name ramekin dist/command.js
 *
 * With `--allow-write=$HOME/.cache/ramekin` it keeps boxes of sandboxes there, and runs these.
 *
 * @module
 */

import { findKeptBox } from "./ramekin/kept_box.ts";
import { tellMissingPart } from "./ramekin/missing_part.ts";
import { isPlainSandbox } from "./ramekin/plain_sandbox.ts";
import { asksVersion, tellVersion } from "./ramekin/version.ts";

if (import.meta.main) {
  if (asksVersion(Deno.args)) Deno.exit(tellVersion());
  const kept = findKeptBox(Deno.args);
  const mayBuild = kept?.execute() === true;
  if (!mayBuild && isPlainSandbox(Deno.args)) {
    const { main } = await import("./ramekin/sandbox_main.ts").catch(tellMissingPart);
    Deno.exit(await main(Deno.args));
  }
  const { keep, main, runsProgram } = await import("./ramekin/main.ts").catch(tellMissingPart);
  if (mayBuild && await keep(kept!)) kept!.execute();
  const code = await main(Deno.args);
  // Deno writes what it has compiled to its cache in its event loop, and without that takes three
  // times as long to start: while a program is waited for, or else at the end.
  if (runsProgram(Deno.args)) Deno.exit(code);
  Deno.exitCode = code;
}
