/**
 * What a template command does, as data: programs in a pipe, and where its ends lead.
 *
 * @module
 */

import type { Command } from "../container/command.ts";
import type { CommandOptions } from "../container/command_options.ts";
import type { OpenFile, StdioFile } from "../container/stdio_options.ts";
import { shownWords } from "./words.ts";

/** What a command can read: a text or bytes, an open file, one by its path, or a stream. */
export type CommandInput =
  | string
  | Uint8Array<ArrayBuffer>
  | Blob
  | Response
  | ReadableStream<Uint8Array>
  | OpenFile
  | StdioFile
  | URL;

/** Where a command can write: a path, an open file, or a stream. */
export type CommandTarget = string | URL | OpenFile | WritableStream<Uint8Array>;

/** Options of a target that is given by its path. */
export interface TargetOptions {
  /**
   * Whether what is in the file stays, and the output is added to it.
   *
   * @default {false}
   */
  readonly append?: boolean;
}

/** Options of {@linkcode ShellCommand.retry}. */
export interface RetryOptions {
  /**
   * How long to wait before the next attempt, in milliseconds; a function gets the number of attempts
   * that have failed.
   *
   * @default {0}
   */
  readonly delay?: number | ((failed: number) => number);
}

/** The options of all commands of a shell. */
export type ShellOptions = Omit<
  CommandOptions,
  "args" | "argv0" | "stdin" | "stdout" | "stderr" | "terminal"
>;

/** Makes commands: of a recipe, or for a container that runs. */
export type MakeCommand = (program: string, options: CommandOptions) => Command;

/** A target with its options. */
export interface Target extends TargetOptions {
  readonly target: CommandTarget;
}

/** One program of a pipe. */
export interface Program {
  readonly make: MakeCommand;
  readonly words: readonly [string, ...string[]];
  /** The options of its shell, and what methods have changed of them. */
  readonly base: ShellOptions;
  readonly options: ShellOptions;
  /** Whether its failure is none of the command. */
  readonly mayFail: boolean;
  /** Whether what it writes to stderr is not shown. */
  readonly quiet: boolean;
  /** Where its stderr goes, if not to the script's; `"stdout"` is where its stdout goes. */
  readonly stderr?: Target | "stdout";
}

/** A command: programs, each of which reads what the one before it writes. */
export interface Pipeline {
  readonly programs: readonly [Program, ...Program[]];
  readonly input?: CommandInput;
  readonly output?: Target;
  readonly tees: readonly Target[];
  readonly prints: boolean;
  readonly retry?: RetryOptions & { readonly times: number };
}

/** Returns a command as one would type it. */
export function shownPipeline({ programs }: Pipeline): string {
  return programs.map(({ words }) => shownWords(words)).join(" | ");
}

/** Returns the command with all of its programs changed. */
export function withEach(
  pipeline: Pipeline,
  change: (program: Program) => Partial<Program>,
): Pipeline {
  const each = (program: Program) => ({ ...program, ...change(program) });
  const [first, ...rest] = pipeline.programs;
  return { ...pipeline, programs: [each(first), ...rest.map(each)] };
}

/** Returns the command with its last program changed. */
export function withLast(pipeline: Pipeline, changes: Partial<Program>): Pipeline {
  const programs = [...pipeline.programs];
  programs.push({ ...programs.pop()!, ...changes });
  return { ...pipeline, programs: programs as [Program, ...Program[]] };
}

/**
 * Returns two commands as one, of which the second reads what the first writes.
 *
 * @throws {TypeError} if one writes or reads elsewhere, or is to be retried by itself
 */
export function joined(one: Pipeline, two: Pipeline): Pipeline {
  if (one.output !== undefined || one.tees.length > 0) {
    throw new TypeError(`${shownPipeline(one)}: a command that is piped writes to the pipe alone`);
  }
  if (two.input !== undefined) {
    throw new TypeError(`${shownPipeline(two)}: a command that is piped to reads from the pipe`);
  }
  if (one.retry !== undefined || two.retry !== undefined) {
    throw new TypeError("a part of a pipe cannot be retried by itself; use retry() after pipe()");
  }
  const [first, ...rest] = one.programs;
  return {
    ...two,
    ...(one.input !== undefined && { input: one.input }),
    programs: [first, ...rest, ...two.programs],
    prints: one.prints || two.prints,
  };
}
