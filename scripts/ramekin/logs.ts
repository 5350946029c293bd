/**
 * `ramekin logs`: shows what a detached container has written.
 *
 * @module
 */

import { DetachedRecord, LogReader } from "../../detached/mod.ts";
import type { Arguments } from "./arguments.ts";
import { print } from "./output.ts";
import { countOf } from "./units.ts";

/** The pause between two looks, in milliseconds. */
const PAUSE = 100;

/** Shows it. */
export async function run(given: Arguments): Promise<number> {
  const record = DetachedRecord.get(given.operands[0]!);
  const lines = given.value("tail");
  using log = new LogReader(record.log);
  if (lines === undefined) log.read(write);
  else write(log.last(countOf(lines, "tail")));
  if (!given.has("follow")) return 0;
  while (record.isKept) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    log.read(write);
  }
  log.read(write);
  return 0;
}

/** Writes it as it is; to a terminal, what could do something there is escaped. */
function write(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length === 0) return;
  if (Deno.stdout.isTerminal()) return print(new TextDecoder().decode(bytes).replace(/\n$/, ""));
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
