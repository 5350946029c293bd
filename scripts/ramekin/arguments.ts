/**
 * The words after a subcommand: flags, operands, and a program after `--`.
 *
 * @module
 */

import { parseArgs, type ParsedArguments } from "../../std/cli.ts";
import { unknownFlag } from "./unknown_words.ts";
import { type Flag, type Subcommand, UsageError } from "./usage.ts";

/** Flags that every subcommand has. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: "help", letter: "h", summary: "show this help" },
  { name: "debug", summary: "show where an error comes from" },
];

/** The arguments of a subcommand. */
export class Arguments {
  /** The words without `--`. */
  readonly operands: readonly string[];
  /** The program after `--`, and its arguments. */
  readonly program: readonly string[];
  readonly #parsed: ParsedArguments;

  /** Use {@linkcode readArguments}. */
  constructor(parsed: ParsedArguments) {
    this.operands = parsed._;
    this.program = parsed["--"];
    this.#parsed = parsed;
  }

  /** Whether the flag is given. */
  has(flag: string): boolean {
    const value = this.#parsed[flag];
    return Array.isArray(value) ? value.length > 0 : value === true;
  }

  /** The values of a flag, in their order; one that is given without its value has `undefined`. */
  values(flag: string): readonly (string | undefined)[] {
    const values = this.#parsed[flag] as readonly string[] | undefined ?? [];
    return values.map((value) => value === "" ? undefined : value);
  }

  /** The value of a flag that is given once. */
  value(flag: string): string | undefined {
    return this.values(flag)[0];
  }
}

/**
 * Reads the words after the subcommand's name.
 *
 * @throws {UsageError} where one makes no sense
 */
export function readArguments(words: readonly string[], subcommand: Subcommand): Arguments {
  const flags = [...subcommand.flags, ...COMMON_FLAGS];
  const valued = flags.filter(({ value }) => value !== undefined).map(({ name }) => name);
  const parsed = parseArgs(withValues(words, flags), {
    "--": true,
    alias: Object.fromEntries(
      flags.flatMap(({ letter, name }) => letter === undefined ? [] : [[letter, name]]),
    ),
    boolean: flags.filter(({ value }) => value === undefined).map(({ name }) => name),
    string: [...valued, "_"],
    collect: valued,
    unknown: (word, name) => {
      if (name !== undefined) throw unknownFlag(word, flags, placed(subcommand, words));
    },
  });
  if (parsed["help"] !== true) check(parsed, words.includes("--"), subcommand);
  return new Arguments(parsed);
}

/** The subcommand, as `ramekin build --sandbox` and `ramekin run --image` have no recipe. */
function placed(subcommand: Subcommand, words: readonly string[]): Subcommand {
  if (words.includes("--sandbox")) return { ...subcommand, place: "sandbox" };
  const end = words.indexOf("--");
  const own = words.slice(0, end === -1 ? undefined : end);
  const hasImage = own.some((word) => /^--image(=|$)/.test(word));
  return hasImage ? { ...subcommand, place: "image" } : subcommand;
}

/** The words, with `=` behind each flag that is given without its optional value. */
function withValues(words: readonly string[], flags: readonly Flag[]): string[] {
  const end = words.indexOf("--");
  return words.map((word, index) => {
    if (!word.startsWith("-") || (end !== -1 && index >= end)) return word;
    const [name, value] = longName(word, flags).slice(2).split(/=(.*)/s);
    const flag = flags.find((flag) => flag.name === name);
    if (flag === undefined) return word;
    if (flag.value === undefined && value !== undefined) {
      throw new UsageError(`--${name} takes no value`);
    }
    if (value === "") throw new UsageError(`--${name}= has no value after it`);
    return value === undefined && flag.optionalValue === true ? `--${name}=` : word;
  });
}

/** A flag of one letter, `-R` or `-R=PATH`, by its name. */
function longName(word: string, flags: readonly Flag[]): string {
  const flag = flags.find(({ letter }) => letter !== undefined && word.startsWith(`-${letter}`));
  return flag !== undefined && /^-\w(=|$)/.test(word) ? `--${flag.name}${word.slice(2)}` : word;
}

function check(parsed: ParsedArguments, hasProgram: boolean, subcommand: Subcommand): void {
  const { operands, flags, program, needsProgram } = subcommand;
  for (const { name, value, optionalValue, repeated, check } of flags) {
    if (value === undefined) continue;
    const values = parsed[name] as readonly string[] | undefined ?? [];
    if (optionalValue !== true && values.includes("")) {
      throw new UsageError(`--${name} needs a value: --${name}=${value}`);
    }
    if (repeated !== true && values.length > 1) throw new UsageError(`--${name} is given twice`);
    for (const given of values) if (given !== "") check?.(given, name);
  }
  // A word that is none of those that there are is told by the subcommand, before what is missing.
  const isUnknown = operands.some(({ completes }, index) =>
    typeof completes === "object" && ![undefined, "", ...completes].includes(parsed._[index])
  );
  if (isUnknown) return;
  const missing = operands.find((operand, index) =>
    operand.optional !== true && parsed._[index] === undefined
  );
  if (missing !== undefined) throw new UsageError(`${missing.name} is missing`);
  const empty = operands.find((_, index) => parsed._[index] === "");
  if (empty !== undefined) throw new UsageError(`${empty.name} is empty; is a variable not set?`);
  if (hasProgram && program !== true) {
    throw new UsageError("this subcommand runs no program after --");
  }
  const extra = parsed._[operands.length];
  if (extra === undefined) {
    if (needsProgram !== true || parsed["--"].length > 0) return;
    const words = [subcommand.name, ...parsed._, "..."].join(" ");
    throw new UsageError(`the program is missing: ramekin ${words} -- PROGRAM ...`);
  }
  // What is given without its optional value may have it as the next word.
  const flag = flags.find(({ name, optionalValue }) =>
    optionalValue === true && (parsed[name] as readonly string[] | undefined)?.includes("")
  );
  throw new UsageError(
    `"${extra}" is one word too many` +
      (flag === undefined ? "" : `; a value is written with =: --${flag.name}=${extra}`) +
      (program === true ? `; a program comes after --: -- ${extra} ...` : ""),
  );
}
