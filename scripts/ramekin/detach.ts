/**
 * `ramekin run -d` and `ramekin sandbox -d`, up to the start of the supervisor: a ramekin of the same
 * words, which goes on by supervisor.ts.
 *
 * @module
 */

import { startSupervisor } from "../../detached/mod.ts";
import { supervisorFlag } from "./detach_flags.ts";
import { print, printError } from "./output.ts";

/**
 * Starts the supervisor, waits until the program runs and is ready, and returns 0; or the exit
 * status of what has gone wrong, which the supervisor has told on this standard error.
 */
export function detach(): number {
  const [subcommand, ...rest] = Deno.args;
  const started = startSupervisor((fd) => [subcommand!, supervisorFlag(fd), ...rest]);
  if ("name" in started) {
    print(started.name);
    return 0;
  }
  const { code, signal } = started;
  if (signal !== null) printError(`ramekin: the supervisor was killed by ${signal}`);
  return code;
}
