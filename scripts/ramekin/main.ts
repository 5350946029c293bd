/**
 * The command line of any subcommand.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import { runCommandLine } from "./command_line.ts";
import { isDetached, supervisorFd } from "./detach_flags.ts";
import type { KeptBox } from "./kept_box.ts";
import { LOAD } from "./load.ts";
import { type KnownSubcommand, SUBCOMMANDS } from "./subcommands.ts";

/** Runs the command line, and returns the exit status; it never throws. */
export function main(words: readonly string[]): Promise<number> {
  return runCommandLine(words, runSubcommand);
}

/** Whether the command line has a subcommand that runs a program. */
export function runsProgram([first]: readonly string[]): boolean {
  return SUBCOMMANDS.some(({ name, program }) => name === first && program === true);
}

/** Builds the box of a sandbox and keeps it; returns whether it is there now. */
export async function keep(kept: KeptBox): Promise<boolean> {
  return (await import("./keep_box.ts")).keepBox(kept);
}

async function runSubcommand({ name }: KnownSubcommand, given: Arguments): Promise<number> {
  if (given.has("detach") && isDetached(given) && supervisorFd(given) === undefined) {
    return (await import("./detach.ts")).detach(given);
  }
  return await (await LOAD[name]()).run(given);
}
