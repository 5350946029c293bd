/**
 * The verb `kill`.
 *
 * @module
 */

import { SIGNALS } from "../../ffi/calls/processes.ts";
import { freeze, isFrozen, pidsIn } from "../cgroups/group.ts";
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
  if (all) signalAll(record.groups, number);
  const { process } = record;
  // Engines take this for "it has ended".
  if (process === undefined && !all) throw new OciError("container not running: no such process");
  if (process !== undefined) signalProcess(process, number);
  if (number === SIGNALS.SIGKILL) freeze(record.groups, false);
  return 0;
}

/** How often it is looked for processes that were made meanwhile. */
const MOST_LOOKS = 100;

/** Sends a signal to all processes of the groups, frozen meanwhile so that they make no more. */
function signalAll(groups: readonly string[], number: number): void {
  const wasFrozen = isFrozen(groups);
  if (!wasFrozen) freeze(groups, true);
  try {
    const signalled = new Set<number>();
    for (let look = 0; look < MOST_LOOKS; look++) {
      const found = signalFound(
        () => pidsIn(groups).filter((pid) => !signalled.has(pid)),
        number,
      );
      if (found.length === 0) return;
      for (const pid of found) signalled.add(pid);
    }
  } finally {
    if (!wasFrozen) freeze(groups, false);
  }
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
