/**
 * Flags of exports, as options of the functions.
 *
 * @module
 */

import type { Arguments } from "../arguments.ts";
import { millisecondsOf } from "../units.ts";
import { UsageError } from "../usage.ts";

/** Returns the word of a flag. */
export function oneOf<Word extends string>(
  flag: string,
  given: Arguments,
  words: readonly Word[],
): Word | undefined {
  const value = given.value(flag);
  const word = words.find((known) => known === value);
  if (value !== undefined && word === undefined) {
    throw new UsageError(`--${flag}=${value}: it is ${words.join(", ")}`);
  }
  return word;
}

/** Returns the time of a flag, in whole seconds. */
export function secondsOf(flag: string, given: Arguments): number | undefined {
  const value = given.value(flag);
  if (value === undefined) return undefined;
  const seconds = millisecondsOf(value, `--${flag}`) / 1000;
  if (!Number.isInteger(seconds)) {
    throw new UsageError(`--${flag}=${value}: Kubernetes has whole seconds`);
  }
  return seconds;
}

/** What is wrong with an option is wrong with the flag of its name. */
export function asUsage<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    const [, option, issue] = error instanceof TypeError
      ? /the option "(\w+)" ([^]*)/.exec(error.message) ?? []
      : [];
    if (option === undefined) throw error;
    const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${flag} ${issue}`);
  }
}
