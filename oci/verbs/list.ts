/**
 * The verb `list`.
 *
 * @module
 */

import { type FlagTable, type Given, isSet, valueOf } from "../command_line.ts";
import { type Runtime, writeAll } from "../runtime.ts";
import { ContainerRecord, type ContainerState, idsIn } from "../state.ts";

export const flags: FlagTable = {
  values: ["format"],
  switches: ["quiet"],
  letters: { f: "format", q: "quiet" },
};

const HEADS = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

/** Prints the containers. */
export function run(runtime: Runtime, given: Given): number {
  const states = statesIn(runtime);
  writeAll(Deno.stdout, textOf(states, given));
  return 0;
}

function textOf(states: readonly ContainerState[], given: Given): string {
  if (isSet(given, "quiet")) return states.map(({ id }) => `${id}\n`).join("");
  if (valueOf(given, "format") === "json") return `${JSON.stringify(states)}\n`;
  const rows = states.map((
    { id, pid, status, bundle, created, owner },
  ) => [id, String(pid), status, bundle, created, owner || "root"]);
  const all = [HEADS, ...rows];
  const widths = HEADS.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    `${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" ").trimEnd()}\n`
  ).join("");
}

function statesIn(runtime: Runtime): readonly ContainerState[] {
  return idsIn(runtime).flatMap((name) => {
    const record = ContainerRecord.find(runtime, name);
    return record?.fixed === undefined ? [] : [record.state];
  });
}
