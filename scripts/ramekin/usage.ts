/**
 * The description of a subcommand, for its help, its completions and the parser of its arguments.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import type { PeerPlace } from "./peer_words.ts";

/** What can be completed in a shell. */
export type Completion =
  | "image"
  | "file"
  | "variable"
  | "container"
  | "subcommand"
  | readonly string[];

/** A flag of a subcommand: `--json`. */
export interface Flag {
  /** Its name, without `--`. */
  readonly name: string;
  /** Its one letter, where it has one. */
  readonly letter?: string;
  /** What its value is, in capitals; without it, the flag has none. */
  readonly value?: string;
  /** Whether the value can be left out; if it is given, it follows a `=`. */
  readonly optionalValue?: boolean;
  /** Whether it may be given more than once. */
  readonly repeated?: boolean;
  /** What the value can be. */
  readonly completes?: Completion;
  /**
   * Throws a {@linkcode UsageError} for a value that makes no sense, whatever else is given: it is
   * called before anything is looked up.
   */
  readonly check?: (value: string, name: string) => unknown;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Whether help and completions leave it out, as it is refused. */
  readonly hidden?: boolean;
}

/** An operand of a subcommand: a word without `--`. */
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
  /** Further paragraphs of its help. */
  readonly more?: string;
  /** Its operands. */
  readonly operands: readonly Operand[];
  /** Whether it takes a program after `--`. */
  readonly program?: boolean;
  /** Whether it does nothing without that program. */
  readonly needsProgram?: boolean;
  /** Whether it runs that program, and has its exit status. */
  readonly runs?: boolean;
  /** What it makes a container of, by which words of other tools have one here. */
  readonly place?: PeerPlace;
  /** What it has in the place of flags that it has with other tools, by their names. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Its flags. */
  readonly flags: readonly Flag[];
}

/** A command line that cannot be understood. */
export class UsageError extends Error {
  /** `"UsageError"`. */
  override readonly name = "UsageError";

  /** Creates an error whose message is one line, whatever words it is about. */
  constructor(message: string) {
    super(escapeControls(message));
  }
}

/** How the flag is written: `-A, --allow-all`, `--set NAME=VALUE`. */
export function flagText({ name, letter, value, optionalValue }: Flag): string {
  const text = `${letter === undefined ? "" : `-${letter}, `}--${name}`;
  if (value === undefined) return text;
  return optionalValue === true ? `${text}[=${value}]` : `${text}=${value}`;
}
