/**
 * The command line of an OCI runtime: global flags, a verb, its flags, and words.
 *
 * @module
 */

import { OciError } from "./errors.ts";

/** The flags of one part of a command line: those with a value, and those without. */
export interface FlagTable {
  readonly values: readonly string[];
  readonly switches: readonly string[];
  /** Single letters, and the flags that they stand for. */
  readonly letters?: Readonly<Record<string, string>>;
  /** Whether the flags end with the first word: what follows is a program's. */
  readonly endsAtWord?: number;
}

/** Flags and words as they were given. */
export interface Given {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

/** Reads flags and words. */
export function readFlags(words: readonly string[], table: FlagTable): Given {
  const flags = new Map<string, string[]>();
  const others: string[] = [];
  const { values, switches, letters = {}, endsAtWord = Infinity } = table;
  let index = 0;
  for (; index < words.length && others.length < endsAtWord; index++) {
    const word = words[index]!;
    if (word === "--") {
      index++;
      break;
    }
    if (!word.startsWith("-") || word === "-" || /^-\d+$/.test(word)) {
      others.push(word);
      continue;
    }
    const [given, inline] = split(word);
    const name = given.startsWith("--")
      ? given.slice(2)
      : letters[given.slice(1)] ?? given.slice(1);
    const known = flags.get(name) ?? [];
    flags.set(name, known);
    if (switches.includes(name)) {
      if (inline === undefined || inline === "true") known.push("true");
      if (inline === "false") flags.delete(name);
    } else if (values.includes(name)) {
      const value = inline ?? words[++index];
      if (value === undefined) throw new OciError(`the flag ${given} needs a value`, 64);
      known.push(value);
    } else throw new OciError(`unknown flag ${given}`, 64);
  }
  return { flags, words: [...others, ...words.slice(index)] };
}

function split(word: string): readonly [string, string | undefined] {
  const at = word.indexOf("=");
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** Returns the last value of a flag. */
export function valueOf({ flags }: Given, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

/** Whether a flag is given. */
export function isSet({ flags }: Given, name: string): boolean {
  return flags.has(name);
}
