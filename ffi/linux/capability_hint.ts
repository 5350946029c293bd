/**
 * What to do where a capability is missing.
 *
 * @module
 */

/** The hint of a call that needs a capability, which every program has in a recipe. */
export function needs(capability: string, kinds = '"user"'): string {
  return `this takes ${capability}; without it, do it in a recipe: ` +
    `recipe(unshare(${kinds}), mapRoot(), ...)`;
}
