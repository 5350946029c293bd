/**
 * What a subcommand is told by, for its help, its completions and the reading of its arguments.
 *
 * @module
 */

/** What can be completed in a shell. */
export type Completion = "file" | "variable" | "container" | "subcommand" | readonly string[];

/** A flag of a subcommand: `--json`. */
export interface Flag {
  /** Its name, without `--`. */
  readonly name: string;
  /** Its one letter, where it has one. */
  readonly letter?: string;
  /** What its value is, in capitals; without it, the flag has none. */
  readonly value?: string;
  /** Whether the flag can do without the value; it then has to be given behind a `=`. */
  readonly optionalValue?: boolean;
  /** Whether it may be given more than once. */
  readonly repeated?: boolean;
  /** What the value can be. */
  readonly completes?: Completion;
  /** What it does, in a few words. */
  readonly summary: string;
}

/** An operand of a subcommand: what has no `--` before it. */
export interface Operand {
  /** What it is, in capitals. */
  readonly name: string;
  /** Whether it can be left out. */
  readonly optional?: boolean;
  /** What it can be. */
  readonly completes: Completion;
}

/** A subcommand. */
export interface Subcommand {
  /** Its name. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** What else is to be known of it: paragraphs. */
  readonly more?: string;
  /** Its operands. */
  readonly operands: readonly Operand[];
  /** Whether it takes a program behind `--`. */
  readonly program?: boolean;
  /** Its flags. */
  readonly flags: readonly Flag[];
}

/** Words on the command line that make no sense. */
export class UsageError extends Error {
  /** `"UsageError"`. */
  override readonly name = "UsageError";
}

/** How the flag is written: `-A, --allow-all`, `--set NAME=VALUE`. */
export function flagText({ name, letter, value, optionalValue }: Flag): string {
  const text = `${letter === undefined ? "" : `-${letter}, `}--${name}`;
  if (value === undefined) return text;
  return optionalValue === true ? `${text}[=${value}]` : `${text}=${value}`;
}
