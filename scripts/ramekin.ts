/**
 * `ramekin`: recipes, sandboxes and containers from the command line. It is installed with the
 * permissions that it needs: for system calls, for recipes, and for lists of hosts (`--allow-net=...`),
 * to which it passes on what programs send.
 *
 *     deno install --global --allow-ffi --allow-read --allow-net --name ramekin scripts/ramekin.ts
 *
 * @module
 */

import { main } from "./ramekin/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
