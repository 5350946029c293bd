/**
 * The verb `delete`.
 *
 * @module
 */

import { type FlagTable, type Given, isSet } from "../command_line.ts";
import { destroy } from "../destroy.ts";
import { OciError } from "../errors.ts";
import { runEachHook } from "../hooks.ts";
import { reportWarning, type Runtime } from "../runtime.ts";
import { ContainerRecord, idsIn } from "../state.ts";
import { idOf } from "../create_options.ts";

export const flags: FlagTable = {
  values: [],
  switches: ["force", "regex"],
  letters: { f: "force" },
};

/** Removes a container. */
export function run(runtime: Runtime, given: Given): number {
  const force = isSet(given, "force");
  if (isSet(given, "regex")) {
    const pattern = new RegExp(idOf(given));
    for (const id of idsIn(runtime)) if (pattern.test(id)) deleteOne(runtime, id, force);
    return 0;
  }
  deleteOne(runtime, idOf(given), force);
  return 0;
}

function deleteOne(runtime: Runtime, id: string, force: boolean): void {
  const record = ContainerRecord.find(runtime, id);
  if (record === undefined) {
    if (force) return;
    throw new OciError(`container ${JSON.stringify(id)} does not exist`);
  }
  const { status } = record;
  // One that waits has run nothing yet.
  if (!force && status !== "stopped" && status !== "created") {
    throw new OciError(`cannot delete container ${record.id} that is not stopped: ${status}`);
  }
  for (const words of remove(record)) reportWarning(runtime, words);
}

/**
 * Ends and removes a container, and runs the hooks for that.
 *
 * @returns what the hooks that failed said; the container is gone all the same
 */
export function remove(record: ContainerRecord): readonly string[] {
  const { fixed } = record;
  const config = fixed === undefined ? {} : record.config;
  destroy(record);
  if (fixed === undefined) return [];
  return runEachHook(config, "poststop", { ...fixed, pid: 0, status: "stopped" });
}
