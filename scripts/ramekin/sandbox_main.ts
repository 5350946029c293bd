/**
 * The command line of a plain sandbox.
 *
 * @module
 */

import { runCommandLine } from "./command_line.ts";
import { isDetached } from "./detach_flags.ts";
import { runSandbox } from "./sandbox.ts";

/** Runs the command line of a plain sandbox, and returns the exit status; it never throws. */
export function main(words: readonly string[]): Promise<number> {
  return runCommandLine(words, (_, given) => {
    // Flags that are for what runs on by itself are refused.
    isDetached(given);
    return runSandbox(given);
  });
}
