/**
 * The words that the command line can have, for the completions of every shell.
 *
 * @module
 */

import { COMMON_FLAGS } from "../arguments.ts";
import { SUBCOMMANDS } from "../subcommands.ts";
import type { Completion, Flag, Operand } from "../usage.ts";

/** A first word of the command line, and what can follow it. */
export interface FirstWord {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly operand: Operand | undefined;
  /** Whether a program can follow behind `--`. */
  readonly program: boolean;
}

/** The subcommands, and `help`. */
export const FIRST_WORDS: readonly FirstWord[] = [
  ...SUBCOMMANDS.map(({ name, summary, flags, operands, program }) => ({
    name,
    summary,
    flags: [...flags, ...COMMON_FLAGS].filter(({ hidden }) => hidden !== true),
    operand: operands[0],
    program: program === true,
  })),
  {
    name: "help",
    summary: "show the help of a subcommand",
    flags: [],
    operand: { name: "SUBCOMMAND", completes: "subcommand" },
    program: false,
  },
];

/** The words that there are, where there is a list of them. */
export function wordsOf(completion: Completion): readonly string[] | undefined {
  if (completion === "subcommand") return SUBCOMMANDS.map(({ name }) => name);
  return typeof completion === "string" ? undefined : completion;
}

/**
 * A command that writes the pids and names of the containers that run, a line each. A program chooses
 * its name, and shells expand words that they complete: a name with other letters is left out.
 */
export const CONTAINERS = `ramekin ps --all 2>/dev/null | ` +
  `awk 'NR > 1 { if ($1 != "-") print $1; if ($2 ~ /^[A-Za-z0-9][A-Za-z0-9._-]*$/) print $2 }'`;

/** A command that writes the names of the images in the store, a line each. */
export const IMAGES = "ramekin images 2>/dev/null | awk 'NR > 1 { print $1 }'";

/** The command that lists what can be completed, where that is not known before. */
export function listOf(completion: Completion): string {
  return completion === "image" ? IMAGES : CONTAINERS;
}

/** The text as a word of a shell: in single quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
