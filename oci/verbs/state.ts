/**
 * The verb `state`.
 *
 * @module
 */

import type { FlagTable, Given } from "../command_line.ts";
import { type Runtime, writeAll } from "../runtime.ts";
import { ContainerRecord } from "../state.ts";
import { idOf } from "../create_options.ts";

export const flags: FlagTable = { values: [], switches: ["all", "regex"], letters: { a: "all" } };

/** Prints the state of a container. */
export function run(runtime: Runtime, given: Given): number {
  const { state } = ContainerRecord.open(runtime, idOf(given));
  writeAll(Deno.stdout, `${JSON.stringify(state, null, 2)}\n`);
  return 0;
}
