/**
 * The OCI runtime, which `ramekin oci install` makes an executable of. `dist/oci.js` is all of it in
 * one file.
 *
 * @module
 */

import { main } from "../oci/main.ts";

if (import.meta.main) {
  // Not called by the module itself: where an error is made of which it is on the stack, V8 parses all
  // of the file again, to know the line. That takes as long as Deno's start.
  const code = await Promise.resolve().then(() => main(Deno.args));
  // Deno writes what it has compiled to its cache in its event loop, and without that takes twice as
  // long to start. A container that goes on would keep the loop alive, so it is left after any
  // answer; one of a timer would load Deno's modules for timers first, for 8 ms.
  Deno.lstat("/").finally(() => Deno.exit(code));
}
