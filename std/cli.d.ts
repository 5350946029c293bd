/** The part of `@std/cli` that this project uses. */

export interface ParseOptions {
  /** Whether what stands behind `--` is kept apart. */
  "--": true;
  /** Other names of arguments. */
  alias: Readonly<Record<string, string>>;
  /** Arguments without a value. */
  boolean: readonly string[];
  /** Arguments with a value, which stays a string. */
  string: readonly string[];
  /** Arguments that may be given more than once. */
  collect: readonly string[];
  /** Called with every word that is no argument of the above, and its name where it has one. */
  unknown: (word: string, name?: string) => unknown;
}

export interface ParsedArguments {
  readonly _: readonly string[];
  readonly "--": readonly string[];
  readonly [name: string]: unknown;
}

export function parseArgs(words: readonly string[], options: ParseOptions): ParsedArguments;
