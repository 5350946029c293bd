/**
 * `ramekin`: recipes, sandboxes and containers from the command line. It is installed with the
 * permissions that it needs: for system calls, to read recipes, and for lists of hosts
 * (`--allow-net=...`), which programs reach through it. `dist/command.js` is all of it in one file.
 *
 *     deno install --global --allow-ffi --allow-read --allow-net --name ramekin dist/command.js
 *
 * @module
 */

import { main, runsProgram } from "./ramekin/main.ts";

if (import.meta.main) {
  const code = await main(Deno.args);
  // Deno writes what it has compiled to its cache in its event loop, and without that takes three
  // times as long to start: while a program is waited for, or else at the end.
  if (runsProgram(Deno.args)) Deno.exit(code);
  Deno.exitCode = code;
}
