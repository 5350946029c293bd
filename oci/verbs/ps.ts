/**
 * The verb `ps`.
 *
 * @module
 */

import { pidsIn } from "../cgroups/group.ts";
import { type FlagTable, type Given, valueOf } from "../command_line.ts";
import { OciError } from "../errors.ts";
import { type Runtime, writeAll } from "../runtime.ts";
import { ContainerRecord } from "../state.ts";

export const flags: FlagTable = { values: ["format"], switches: [], letters: { f: "format" } };

/** Prints the processes of a container. */
export function run(runtime: Runtime, given: Given): number {
  const [id] = given.words;
  if (id === undefined) throw new OciError("the id of the container is missing");
  const record = ContainerRecord.open(runtime, id);
  const pids = pidsOf(record);
  const text = valueOf(given, "format") === "json"
    ? JSON.stringify(pids)
    : ["PID", ...pids].join("\n");
  writeAll(Deno.stdout, `${text}\n`);
  return 0;
}

/** Returns the processes of a container, as this process sees them. */
export function pidsOf({ groups, process }: ContainerRecord): readonly number[] {
  const pids = pidsIn(groups);
  if (pids.length > 0 || process === undefined) return pids;
  return [process.pid];
}
