/**
 * The verb `start`.
 *
 * @module
 */

import type { FlagTable, Given } from "../command_line.ts";
import { enterSteps } from "../enter.ts";
import { HookError, OciError } from "../errors.ts";
import { runHooks } from "../hooks.ts";
import { ReadySocket } from "../notify.ts";
import type { Runtime } from "../runtime.ts";
import { listenerOf } from "../seccomp_listener.ts";
import type { Config } from "../spec.ts";
import { ContainerRecord } from "../state.ts";
import { idOf } from "../create_options.ts";
import { remove } from "./delete.ts";

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
  const { config } = record;
  try {
    startHooks(record, config);
    // Opened for both, so that it does not wait for a process that has ended meanwhile.
    using file = Deno.openSync(fifo, { read: true, write: true });
    Deno.removeSync(fifo);
    file.writeSync(new Uint8Array([0x0a]));
    runHooks(config, "poststart", record.state);
  } catch (error) {
    // As the specification wants it: a container without what its hooks do is not to run.
    if (error instanceof HookError) remove(record);
    throw error;
  }
}

/** Runs the hooks in the container, as its program: with its user, its rights and its limits. */
function startHooks(record: ContainerRecord, config: Config): void {
  const { process = {}, hooks } = config;
  const { process: first } = record;
  if (first === undefined || !hooks?.startContainer?.length) return;
  runHooks(config, "startContainer", record.state, {
    steps: enterSteps(process, config, first, false),
    pid: first.pid,
    env: process.env ?? [],
    cwd: process.cwd || "/",
    taking: listenerOf(config.linux ?? {}, () => record.state),
  });
}
