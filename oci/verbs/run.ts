/**
 * The verb `run`.
 *
 * @module
 */

import { type FlagTable, type Given, isSet } from "../command_line.ts";
import { ProgramTerminal } from "../../container/terminal/terminal.ts";
import { create, readConfig } from "../create.ts";
import { ReadySocket } from "../notify.ts";
import { reportWarning, type Runtime } from "../runtime.ts";
import { waitForEnd } from "../wait.ts";
import { CREATE_FLAGS, createOptions, idOf } from "../create_options.ts";
import { remove } from "./delete.ts";
import { start } from "./start.ts";

export const flags: FlagTable = CREATE_FLAGS;

/** Makes a container, starts it, and waits for its end. */
export async function run(runtime: Runtime, given: Given): Promise<number> {
  const options = createOptions(given);
  const isJoined = options.consoleSocket === undefined && !isSet(given, "detach") &&
    readConfig(options.config).process?.terminal === true;
  const terminal = isJoined ? new ProgramTerminal(true) : undefined;
  const { record, launched } = create(runtime, idOf(given), {
    ...options,
    terminal: terminal?.theirs,
  });
  terminal?.join(launched.terminal, ["inherit", "inherit", "inherit"]);
  let ready: ReadySocket | undefined;
  try {
    ready = ReadySocket.of(record);
    start(record);
  } catch (error) {
    await ready?.close();
    if (!record.isGone) remove(record);
    throw error;
  }
  if (isSet(given, "detach")) {
    await ready?.untilReady(launched.pid);
    return 0;
  }
  const code = await waitForEnd(launched);
  await ready?.close();
  await terminal?.leave();
  if (!isSet(given, "keep")) {
    for (const words of remove(record)) reportWarning(runtime, words);
  }
  return code;
}
