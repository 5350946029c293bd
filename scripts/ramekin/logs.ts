/**
 * `ramekin logs`: shows what a detached container has written.
 *
 * @module
 */

import { DetachedRecord, LogReader } from "../../detached/mod.ts";
import type { Arguments } from "./arguments.ts";
import { print } from "./output.ts";
import { UsageError } from "./usage.ts";

/** The pause between two looks, in milliseconds. */
const PAUSE = 100;

/** Shows it. */
export async function run(given: Arguments): Promise<number> {
  const record = DetachedRecord.get(given.operands[0]!);
  const tail = tailOf(given);
  using log = new LogReader(record.log);
  if (tail === undefined) log.read(write);
  else write(log.last(tail));
  if (!given.has("follow")) return 0;
  while (record.isKept) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    log.read(write);
  }
  log.read(write);
  return 0;
}

function tailOf(given: Arguments): number | undefined {
  const word = given.value("tail");
  if (word === undefined || /^\d{1,9}$/.test(word)) return word === undefined ? word : Number(word);
  throw new UsageError(`--tail=${word} is no number of lines`);
}

/** Writes it as it is; to a terminal, what could do something there is escaped. */
function write(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length === 0) return;
  if (Deno.stdout.isTerminal()) return print(new TextDecoder().decode(bytes).replace(/\n$/, ""));
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
