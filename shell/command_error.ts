/**
 * How commands end.
 *
 * @module
 */

import { RamekinError } from "../ffi/errors.ts";
import { type CommandStatus, describeEnd } from "../launch/status.ts";

/** How one program of a command has ended. */
export interface ProgramStatus extends CommandStatus {
  /** The program with its arguments, as one would type it. */
  readonly command: string;
  /** The working directory that was asked for; `undefined` for the one of the container. */
  readonly cwd: string | undefined;
  /** The last lines that it has written to its standard error, where that was read. */
  readonly stderr: string;
}

/** How a command has ended. */
export interface CommandResult extends ProgramStatus {
  /** How each program of a pipe has ended, in order. */
  readonly programs: readonly ProgramStatus[];
}

/**
 * A command that has failed: a program has exited with another code than 0, or a signal has killed
 * it. The fields are those of the last program that has failed, and `programs` has all of a pipe.
 *
 * @example
 * ```ts
 * import { $, CommandError } from "@ramekin/ramekin/shell";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const error = await assertRejects(() => $`ls /nonesuch`.text(), CommandError);
 * assertEquals([error.command, error.code, error.signal], ["ls /nonesuch", 2, null]);
 * console.log(error.stderr, error.durationMs, error.timedOut); // ls: cannot access '/nonesuch': ...
 * ```
 */
export class CommandError extends RamekinError implements CommandResult {
  /** `"CommandError"`. */
  override readonly name = "CommandError";
  /** Always `false`. */
  readonly success: boolean;
  /** The program's exit code; 128 plus the number of the signal if one has killed it. */
  readonly code: number;
  /** The signal that has killed the program, if any. */
  readonly signal: Deno.Signal | null;
  /** Whether it was killed because of its `timeout`. */
  readonly timedOut: boolean;
  /** Whether the OOM killer has killed a process of a container with `limits()`. */
  readonly outOfMemory: boolean;
  /** How long it ran, in milliseconds. */
  readonly durationMs: number;
  /** What it has used. */
  readonly usage: CommandStatus["usage"];
  /** The program with its arguments, as one would type it. */
  readonly command: string;
  /** The working directory that was asked for; `undefined` for the one of the container. */
  readonly cwd: string | undefined;
  /** The last lines that it has written to its standard error, where that was read. */
  readonly stderr: string;
  /** How each program of a pipe has ended, in order. */
  readonly programs: readonly ProgramStatus[];

  /** Creates the error of a result. */
  constructor(result: CommandResult) {
    super(issueOf(result), { advice: result.stderr.split("\n").filter((line) => line !== "") });
    this.success = result.success;
    this.code = result.code;
    this.signal = result.signal;
    this.timedOut = result.timedOut;
    this.outOfMemory = result.outOfMemory;
    this.durationMs = result.durationMs;
    this.usage = result.usage;
    this.command = result.command;
    this.cwd = result.cwd;
    this.stderr = result.stderr;
    this.programs = result.programs;
  }
}

function issueOf(result: CommandResult): string {
  const { command, cwd, durationMs, programs } = result;
  const where = cwd === undefined ? "" : ` in ${cwd}`;
  const all = programs.length === 1
    ? ""
    : `, of the pipe ${programs.map(({ command }) => command).join(" | ")}`;
  return `${command} ${describeEnd(result)} after ${Math.round(durationMs)} ms${where}${all}`;
}
