/**
 * The verb `create`.
 *
 * @module
 */

import type { FlagTable, Given } from "../command_line.ts";
import { create } from "../create.ts";
import { CREATE_FLAGS, createOptions, idOf } from "../create_options.ts";
import type { Runtime } from "../runtime.ts";

export const flags: FlagTable = CREATE_FLAGS;

/** Makes a container that waits to be started. */
export function run(runtime: Runtime, given: Given): number {
  create(runtime, idOf(given), createOptions(given));
  return 0;
}
