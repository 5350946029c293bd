/**
 * The ramekin that `ramekin run -d` and `ramekin sandbox -d` have started: the supervisor.
 *
 * @module
 */

import { type Detached, superviseDetached } from "../../detached/mod.ts";
import type { Arguments } from "./arguments.ts";
import { supervisorFd, type Upkeep, upkeepOf } from "./detach_flags.ts";
import { errorReport } from "./error_report.ts";
import { paintFor, printError } from "./output.ts";
import { startStatus } from "./run_program.ts";
import { UsageError } from "./usage.ts";

/** What the subcommand has made of its words. */
export type Supervised = Omit<Detached, keyof Upkeep | "program"> & {
  readonly program: readonly string[];
};

/** Keeps the program running to its end; returns the exit status of one that could not be started. */
export async function superviseProgram(given: Arguments, what: Supervised): Promise<number> {
  const [program, ...args] = what.program;
  if (program === undefined) throw new UsageError("--detach takes a program after --");
  const detached = { ...what, ...upkeepOf(given), program: [program, ...args] as const };
  try {
    await superviseDetached(supervisorFd(given)!, detached);
    return 0;
  } catch (error) {
    const status = startStatus(error);
    if (status === undefined) throw error;
    printError(errorReport(error, { paint: paintFor(Deno.stderr), debug: false }));
    return status;
  }
}
