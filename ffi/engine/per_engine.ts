/**
 * Values that live as long as the engine: descriptors, tables in memory, and properties of the kernel
 * that do not change.
 *
 * @module
 */

import { type Engine, engine } from "./engine.ts";

/**
 * Returns a getter. Its first call makes the value, and later calls return the same one; a `make`
 * that throws is called again by the next call.
 */
export function perEngine<T>(make: (loaded: Engine) => T): () => T {
  let made: { readonly by: Engine; readonly value: T } | undefined;
  return () => {
    const loaded = engine();
    if (made?.by !== loaded) made = { by: loaded, value: make(loaded) };
    return made.value;
  };
}
