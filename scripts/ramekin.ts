/**
 * `ramekin`: recipes, sandboxes and containers from the command line. It is installed with the
 * permissions that it needs: for system calls, to read recipes, and for lists of hosts
 * (`--allow-net=...`), which programs reach through it.
 *
 *     deno install --global --allow-ffi --allow-read --allow-net --name ramekin scripts/ramekin.ts
 *
 * @module
 */

import { main } from "./ramekin/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
