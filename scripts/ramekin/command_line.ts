/**
 * The first word of the command line, and the exit status of errors.
 *
 * @module
 */

import { type Arguments, readArguments } from "./arguments.ts";
import { errorReport } from "./error_report.ts";
import { FAILED_BEFORE_PROGRAM, PIPE_BROKEN } from "./exit_status.ts";
import { programHelp, subcommandHelp } from "./help.ts";
import { paintFor, print, printError } from "./output.ts";
import { type KnownSubcommand, SUBCOMMANDS } from "./subcommands.ts";
import { unknownSubcommand } from "./unknown_words.ts";
import { UsageError } from "./usage.ts";

/** Runs a subcommand, and returns the exit status. */
export type RunSubcommand = (
  subcommand: KnownSubcommand,
  given: Arguments,
) => number | Promise<number>;

/** Runs the command line, and returns the exit status; it never throws. */
export async function runCommandLine(
  words: readonly string[],
  run: RunSubcommand,
): Promise<number> {
  const [first, ...rest] = words;
  let subcommand: KnownSubcommand | undefined;
  try {
    if (first === undefined || first === "--help" || first === "-h") return show(programHelp);
    if (first === "help") return help(rest);
    const found = subcommand = find(first);
    const given = readArguments(rest, found);
    if (given.has("help")) return show((paint) => subcommandHelp(found, paint));
    return await run(found, given);
  } catch (error) {
    // The reader of the output has closed its end.
    if (error instanceof Deno.errors.BrokenPipe) return PIPE_BROKEN;
    const end = rest.indexOf("--");
    const debug = rest.slice(0, end === -1 ? undefined : end).includes("--debug");
    const name = subcommand?.name;
    printError(errorReport(error, { paint: paintFor(Deno.stderr), debug, subcommand: name }));
    if (subcommand?.runs === true) return FAILED_BEFORE_PROGRAM;
    return error instanceof UsageError ? 2 : 1;
  }
}

function help([name, ...extra]: readonly string[]): number {
  if (name === undefined || name.startsWith("-")) return show(programHelp);
  if (extra.length > 0) throw new UsageError(`"${extra[0]}" is one word too many`);
  const subcommand = find(name);
  return show((paint) => subcommandHelp(subcommand, paint));
}

function find(name: string): KnownSubcommand {
  const found = SUBCOMMANDS.find((subcommand) => subcommand.name === name);
  if (found !== undefined) return found;
  if (name.startsWith("-")) {
    throw new UsageError(`there is no flag ${name} before a subcommand`);
  }
  throw unknownSubcommand(name);
}

function show(text: (paint: ReturnType<typeof paintFor>) => string): number {
  print(text(paintFor(Deno.stdout)));
  return 0;
}
