/**
 * What the command has been built of: a digest, which `deno task bundle` writes in place of this text
 * into `dist/command.js`. It is empty in the modules, whose changes nothing tells.
 *
 * @module
 */

/** The digest, or nothing. */
export const BUILD: string = "";
