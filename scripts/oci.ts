/**
 * The OCI runtime, which `ramekin oci install` makes an executable of. `dist/oci.js` is all of it in
 * one file.
 *
 * @module
 */

import { main } from "../oci/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
