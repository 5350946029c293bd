/**
 * The verb `pause`.
 *
 * @module
 */

import { freeze } from "../cgroups/group.ts";
import type { FlagTable, Given } from "../command_line.ts";
import { OciError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ContainerRecord } from "../state.ts";
import { idOf } from "../create_options.ts";

export const flags: FlagTable = { values: [], switches: [] };

/** Freezes the processes of a container. */
export function run(runtime: Runtime, given: Given): number {
  const record = ContainerRecord.open(runtime, idOf(given));
  if (record.status === "stopped") throw new OciError("container not running");
  if (!freeze(record.groups, true)) {
    throw new OciError("the container has no control group that can be frozen");
  }
  return 0;
}
