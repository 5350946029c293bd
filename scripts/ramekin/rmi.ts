/**
 * `ramekin rmi`: removes an image.
 *
 * @module
 */

import { removeImages } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { print, printJson } from "./output.ts";

/** Removes it. */
export async function run(given: Arguments): Promise<number> {
  const removed = await removeImages(given.operands);
  if (given.has("json")) printJson(removed);
  else for (const name of removed.names) print(name);
  return 0;
}
