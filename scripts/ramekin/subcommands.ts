/**
 * Every subcommand and its flags: the one table from which the help, the completions and the parser
 * of the command line are made.
 *
 * @module
 */

import { CONTAINERS } from "./subcommands/containers.ts";
import { IMAGES } from "./subcommands/images.ts";
import { MACHINE } from "./subcommands/machine.ts";
import { PROGRAMS } from "./subcommands/programs.ts";
import { RECIPES } from "./subcommands/recipes.ts";
import type { Subcommand } from "./usage.ts";

const TABLE = [...PROGRAMS, ...CONTAINERS, ...IMAGES, ...RECIPES, ...MACHINE] as const;

/** The name of a subcommand. */
export type SubcommandName = typeof TABLE[number]["name"];

/** A subcommand that there is. */
export interface KnownSubcommand extends Subcommand {
  readonly name: SubcommandName;
}

/** The subcommands, in the order of the help. */
export const SUBCOMMANDS: readonly KnownSubcommand[] = TABLE;
