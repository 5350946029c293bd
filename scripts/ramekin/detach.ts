/**
 * `ramekin run -d` and `ramekin sandbox -d`, up to the start of the supervisor: a ramekin of the same
 * words, which goes on by supervisor.ts.
 *
 * @module
 */

import { DetachedRecord, type DetachedState, startSupervisor } from "../../detached/mod.ts";
import type { Arguments } from "./arguments.ts";
import { supervisorFlag } from "./detach_flags.ts";
import { print, printError, printJson } from "./output.ts";

/**
 * Starts the supervisor, waits until the program runs and is ready, and returns 0; or the exit
 * status of what has gone wrong, which the supervisor has told on this standard error.
 */
export function detach(given: Arguments): number {
  const [subcommand, ...rest] = Deno.args;
  const started = startSupervisor((fd) => [subcommand!, supervisorFlag(fd), ...rest]);
  if ("name" in started) {
    if (given.has("json")) printJson(startOf(started.name));
    else print(started.name);
    return 0;
  }
  const { code, signal } = started;
  if (signal !== null) printError(`ramekin: the supervisor was killed by ${signal}`);
  return code;
}

/** What there is to tell of a container that has been started, and may have ended by now. */
function startOf(name: string): Partial<DetachedState> {
  const { supervisor, container } = DetachedRecord.find(name)?.state ?? {};
  return {
    name,
    ...(supervisor !== undefined && { supervisor }),
    ...(container !== undefined && { container }),
  };
}
