/**
 * The verb `start`.
 *
 * @module
 */

import type { FlagTable, Given } from "../command_line.ts";
import { OciError } from "../errors.ts";
import { runHooks } from "../hooks.ts";
import { ReadySocket } from "../notify.ts";
import type { Runtime } from "../runtime.ts";
import { ContainerRecord } from "../state.ts";
import { idOf } from "./create.ts";

export const flags: FlagTable = { values: [], switches: [] };

/** Starts the program of a container. */
export async function run(runtime: Runtime, given: Given): Promise<number> {
  const record = ContainerRecord.open(runtime, idOf(given));
  const { process } = record;
  const ready = record.waits ? ReadySocket.of(record) : undefined;
  try {
    start(record);
  } catch (error) {
    await ready?.close();
    throw error;
  }
  await ready?.untilReady(process!.pid);
  return 0;
}

/** Lets the program of a container go, and runs the hooks for that. */
export function start(record: ContainerRecord): void {
  const { status, fifo } = record;
  if (status !== "created") {
    throw new OciError(
      status === "stopped"
        ? "cannot start a container that has stopped"
        : "cannot start an already running container",
    );
  }
  // Opened for both, so that it does not wait for a process that has ended meanwhile.
  using file = Deno.openSync(fifo, { read: true, write: true });
  Deno.removeSync(fifo);
  file.writeSync(new Uint8Array([0x0a]));
  try {
    runHooks(record.config, "poststart", record.state);
  } catch {
    // Hooks of this kind change nothing any more; the specification asks for a warning at most.
  }
}
