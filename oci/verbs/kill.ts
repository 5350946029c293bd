/**
 * The verb `kill`.
 *
 * @module
 */

import { SIGNALS } from "../../ffi/calls/processes.ts";
import { freeze, pidsIn } from "../cgroups/group.ts";
import { type FlagTable, type Given, isSet } from "../command_line.ts";
import { OciError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { signalFound, signalProcess } from "../signal.ts";
import { ContainerRecord } from "../state.ts";

export const flags: FlagTable = { values: [], switches: ["all", "regex"], letters: { a: "all" } };

/** Sends a signal to a container. */
export function run(runtime: Runtime, given: Given): number {
  const [id, name = "TERM", ...extra] = given.words;
  if (id === undefined || extra.length > 0) throw new OciError("kill takes an id and a signal");
  const number = signalNumber(name);
  const record = ContainerRecord.open(runtime, id);
  const all = isSet(given, "all");
  if (all) signalFound(() => pidsIn(record.groups), number);
  const { process } = record;
  // Engines take this for "it has ended".
  if (process === undefined && !all) throw new OciError("container not running: no such process");
  if (process !== undefined) signalProcess(process, number);
  if (number === SIGNALS.SIGKILL) freeze(record.groups, false);
  return 0;
}

function signalNumber(name: string): number {
  if (/^\d+$/.test(name) && Number(name) <= 64) return Number(name);
  const word = name.toUpperCase();
  const known: Readonly<Record<string, number>> = SIGNALS;
  const number = known[word] ?? known[`SIG${word}`] ?? realtime(word.replace(/^SIG/, ""));
  if (number === undefined) throw new OciError(`unknown signal ${JSON.stringify(name)}`);
  return number;
}

/** `RTMIN+3`, as systemd's stop signal is written. */
function realtime(word: string): number | undefined {
  const [, base, sign, count = "0"] = /^(RTMIN|RTMAX)(?:([+-])(\d+))?$/.exec(word) ?? [];
  if (base === undefined) return undefined;
  return (base === "RTMIN" ? 34 : 64) + (sign === "-" ? -Number(count) : Number(count));
}
