/**
 * The version of the program, which is the project's. It is told without the rest of the command, whose
 * loading takes longer than Deno's start.
 *
 * @module
 */

import { VERSION } from "../../recipe/version.ts";
import { PIPE_BROKEN } from "./exit_status.ts";

export { VERSION };

/** Whether the command line asks for the version. */
export function asksVersion([first]: readonly string[]): boolean {
  return first === "--version" || first === "-V";
}

/** Writes the version, and returns the exit status. */
export function tellVersion(): number {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(`ramekin ${VERSION}\n`));
    return 0;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return PIPE_BROKEN;
    throw error;
  }
}
