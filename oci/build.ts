/**
 * What the installed command and the planner have to be of alike.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Returns a word for the contents of the runtime's module. */
export function buildOf(module: string): string {
  return createHash("sha256").update(Deno.readFileSync(module)).digest("hex").slice(0, 16);
}
