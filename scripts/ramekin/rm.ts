/**
 * `ramekin rm`: removes what is recorded of a detached container.
 *
 * @module
 */

import { DetachedRecord } from "../../detached/mod.ts";
import type { Arguments } from "./arguments.ts";
import { printJson } from "./output.ts";
import { UsageError } from "./usage.ts";

/** How long a supervisor may take to end what it keeps, in milliseconds. */
const PATIENCE = 10_000;

/** Removes it. */
export async function run(given: Arguments): Promise<number> {
  const record = DetachedRecord.get(given.operands[0]!);
  if (record.isKept) {
    if (!given.has("force")) {
      throw new UsageError(
        `${record.name} runs; ramekin stop ${record.name} stops it, and ramekin rm -f kills it`,
      );
    }
    // It kills its program, and clears away what it keeps beside that.
    await atMost(PATIENCE, record.stop({ grace: 0 }));
  }
  await record.kill();
  record.removeEnded();
  if (given.has("json")) printJson({ name: record.name });
  return 0;
}

/** Resolves with what is waited for, or after a time. */
async function atMost(time: number, ended: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, time);
  await Promise.race([ended, promise]);
  clearTimeout(timer);
}
