/**
 * `ramekin`: recipes, sandboxes and containers from the command line. It is installed with the
 * permissions that it needs:
 *
 *     deno install --global --allow-ffi --allow-read --name ramekin scripts/ramekin.ts
 *
 * @module
 */

import { main } from "./ramekin/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
