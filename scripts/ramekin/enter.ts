/**
 * `ramekin enter`: runs a program in a container that runs already.
 *
 * @module
 */

import { environment } from "../../host.ts";
import { attach, type AttachedContainer } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { containerOf } from "./container_of.ts";
import { runProgram } from "./run_program.ts";
import { reportOf } from "./status_fd.ts";
import { UsageError } from "./usage.ts";

/** Runs the program in there. */
export async function run(given: Arguments): Promise<number> {
  const report = reportOf(given);
  using container = attachTo(containerOf(given.operands[0]!, given.has("any")));
  const user = given.has("root") ? "root" : "program";
  const terminal = environment()["TERM"];
  // Nothing else of this process's environment is passed to it.
  const env = terminal === undefined ? {} : { TERM: terminal };
  return await runProgram(
    given.program,
    (program, options) => container.enter(program, { ...options, user, env }),
    { report },
  );
}

function attachTo(pid: number): AttachedContainer {
  try {
    return attach(pid, { any: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(
      `there is no process ${pid}, or it has ended; ramekin ps lists the running containers`,
    );
  }
}
