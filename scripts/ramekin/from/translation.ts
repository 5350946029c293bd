/**
 * A recipe from the command line of another tool, and what of that no recipe says.
 *
 * @module
 */

import type { Step } from "../../../mod.ts";

/** What a command line of another tool is here. */
export interface Translation {
  readonly steps: readonly Step[];
  /** The program and its arguments; none where the tool is given none. */
  readonly program: readonly string[];
  /** What is left out, each with the flag and the reason or what has it. */
  readonly lost: readonly string[];
}

/** A flag of another tool. */
export interface ForeignFlag<State> {
  /** How many words follow it as its values. */
  readonly values: number;
  /** What it does to the translation; it returns what cannot be said of it. */
  readonly apply?: (state: State, ...values: string[]) => string | undefined | void;
  /** Why it has nothing here, or what has it in its place. */
  readonly lost?: string;
}

/** A flag of this many values that has an effect. */
export function flag<State>(
  values: number,
  apply: NonNullable<ForeignFlag<State>["apply"]>,
): ForeignFlag<State> {
  return { values, apply };
}

/** A flag of this many values that is named, as no recipe has it. */
export function lost(values: number, why: string): ForeignFlag<unknown> {
  return { values, lost: why };
}

/** A flag for what every recipe has, or that says nothing of a container. */
export const GIVEN: ForeignFlag<unknown> = { values: 0 };

/** Applies a flag, and returns what is left out of it, for a person. */
export function applied<State>(
  { apply, lost: why }: ForeignFlag<State>,
  state: State,
  words: readonly [string, ...string[]],
): readonly string[] {
  const issue = why ?? apply?.(state, ...words.slice(1));
  return typeof issue === "string" ? [`${words.join(" ")}: ${issue}`] : [];
}

/** A whole number in a text; `undefined` for what is none. */
export function wholeNumber(text: string, base: 8 | 10 = 10): number | undefined {
  const isOne = base === 8 ? /^[0-7]+$/.test(text) : /^\d+$/.test(text);
  return isOne ? parseInt(text, base) : undefined;
}
