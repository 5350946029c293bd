/**
 * Words of the command line that there are not, with what was probably meant.
 *
 * @module
 */

import { nearest } from "../../recipe/nearest.ts";
import { PEER_SUBCOMMANDS, peerFlag } from "./peer_words.ts";
import { SUBCOMMANDS } from "./subcommands.ts";
import { type Flag, type Subcommand, UsageError } from "./usage.ts";

/** The error of a subcommand that there is not. */
export function unknownSubcommand(name: string): UsageError {
  return new UsageError(`there is no subcommand "${name}"; ${meantBy(name)}`);
}

function meantBy(name: string): string {
  const peers = PEER_SUBCOMMANDS.get(name);
  if (peers !== undefined) return peers;
  if (RECIPE.test(name)) return `a recipe is run by ramekin run ${name}`;
  const names = SUBCOMMANDS.map(({ name }) => name);
  const near = nearest(name, [...names, "help"]);
  return near === undefined ? `they are ${names.join(", ")}` : `did you mean ${near}?`;
}

/** The names of recipes. */
const RECIPE = /\.(ya?ml|json|[mc]?[jt]s)$/i;

/** The error of a flag that the subcommand has not. */
export function unknownFlag(
  word: string,
  flags: readonly Flag[],
  subcommand: Subcommand,
): UsageError {
  const [written] = word.split("=");
  const advice = insteadOf(written!, flags.map(({ name }) => name), subcommand);
  return new UsageError(`there is no flag ${written}${advice === undefined ? "" : `; ${advice}`}`);
}

function insteadOf(
  written: string,
  names: readonly string[],
  { place, program, instead = {} }: Subcommand,
): string | undefined {
  const name = written.replace(/^-+/, "");
  if (Object.hasOwn(instead, name)) return instead[name];
  const peers = place && (peerFlag(name, place) ?? letterFlag(written, place));
  if (peers !== undefined) return peers;
  // Of --allow-read and --deny-read, whoever writes --read means the former.
  if (names.includes(`allow-${name}`)) return `did you mean --allow-${name}?`;
  const others = SUBCOMMANDS.filter(({ flags }) => flags.some((flag) => flag.name === name));
  if (others[0] !== undefined) return `it is one of ramekin ${others[0].name}`;
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean --${near}?`;
  return program === true ? "a program and its own flags come after --" : undefined;
}

/** The same for a letter with its value behind it: `-v/a:/b`. */
function letterFlag(written: string, place: NonNullable<Subcommand["place"]>): string | undefined {
  const letter = /^-(\w)\W/.exec(written)?.[1];
  return letter === undefined ? undefined : peerFlag(letter, place);
}
