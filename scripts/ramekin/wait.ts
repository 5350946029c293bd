/**
 * `ramekin wait`: waits until a detached container has ended.
 *
 * @module
 */

import { DetachedRecord } from "../../detached/mod.ts";
import { RamekinError } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { printJson } from "./output.ts";
import { exitCode } from "./run_program.ts";

/** Waits, and returns the exit status of its program. */
export async function run(given: Arguments): Promise<number> {
  const record = DetachedRecord.get(given.operands[0]!);
  await record.ended();
  const { status, end } = record.state ?? {};
  if (status !== "ended" || end === undefined) {
    throw new RamekinError(
      `the supervisor of ${record.name} was killed, so that nobody knows how its program has ended`,
    );
  }
  if (given.has("json")) printJson(end);
  return exitCode(end);
}
