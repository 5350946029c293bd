/**
 * Runs a command: its programs start at once, each with its end of a pipe of the kernel's, and all
 * are waited for.
 *
 * @module
 */

import type { CommandOptions } from "../container/command_options.ts";
import { pathOf } from "../container/command_paths.ts";
import type { Container } from "../container/container.ts";
import type { InputSource, OutputTarget, OutputWriter } from "../container/stdio_options.ts";
import { close } from "../ffi/calls/files.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { CommandOutput } from "../launch/output.ts";
import { openPipe } from "../launch/pipe.ts";
import { statusOf } from "../launch/status.ts";
import { CommandError, type CommandResult, type ProgramStatus } from "./command_error.ts";
import { LastLines } from "./last_lines.ts";
import {
  type CommandInput,
  type Pipeline,
  type Program,
  shownPipeline,
  type Target,
} from "./pipeline.ts";
import { openFileSink } from "./sink.ts";
import { shownWords } from "./words.ts";

/** How a command has ended, and what it has written to a piped stdout. */
export interface Outcome {
  readonly result: CommandResult;
  readonly stdout: Uint8Array<ArrayBuffer>;
}

/** A command that runs. */
export class Run implements AsyncDisposable {
  readonly #pipeline: Pipeline;
  readonly #programs: RunningProgram[] = [];

  private constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /**
   * Starts the programs.
   *
   * @param stdout where the last one writes
   * @param isRead whether the script reads that meanwhile
   * @throws as `spawn()` does; nothing is left of the other programs then
   */
  static async start(pipeline: Pipeline, stdout: OutputTarget, isRead = false): Promise<Run> {
    if (pipeline.prints) {
      const line = new TextEncoder().encode(`$ ${shownPipeline(pipeline)}\n`);
      await openFileSink(Deno.stderr).write(line);
    }
    const run = new Run(pipeline);
    try {
      run.#start(stdout, isRead);
      return run;
    } catch (error) {
      await run[Symbol.asyncDispose]();
      throw error;
    }
  }

  #start(stdout: OutputTarget, isRead: boolean): void {
    const { programs, input } = this.#pipeline;
    const opened: number[] = [];
    try {
      let stdin: InputSource = inputSource(input);
      programs.forEach((program, index) => {
        const pipe = index < programs.length - 1 ? openPipe() : undefined;
        if (pipe !== undefined) opened.push(pipe.reader, pipe.writer);
        const isAlone = programs.length === 1 && !isRead;
        this.#programs.push(new RunningProgram(program, stdin, pipe?.writer ?? stdout, isAlone));
        if (pipe !== undefined) stdin = pipe.reader;
      });
    } finally {
      // The programs have descriptors of their own.
      for (const fd of opened) syscall(close(fd));
    }
  }

  /** What the last program writes, if that is piped. */
  get stdout(): AsyncIterable<Uint8Array<ArrayBuffer>> {
    return this.#programs.at(-1)!.container!.stdout;
  }

  /**
   * Waits for the end of all programs, and returns how they have ended, and what the last one has
   * written if that is piped.
   *
   * @throws {CommandError} if a program has failed that may not
   */
  async end(): Promise<Outcome> {
    const ends = await Promise.all(this.#programs.map((program) => program.end()));
    const result = resultOf(this.#pipeline, ends.map(({ status }) => status));
    return { result, stdout: ends.at(-1)!.stdout };
  }

  /** Kills what still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map(({ container }) => container?.[Symbol.asyncDispose]()));
  }
}

const DONE = Promise.resolve();

/** A program of a command that runs. */
class RunningProgram {
  /** Its container, unless nothing has to be done with it but to wait for its end. */
  readonly container: Container | undefined;
  readonly #output: Promise<CommandOutput> | undefined;
  readonly #program: Program;
  readonly #stderr = new LastLines();
  readonly #isPiped: boolean;

  constructor(program: Program, stdin: InputSource, stdout: OutputTarget, isAlone: boolean) {
    this.#program = program;
    this.#isPiped = stdout === "piped";
    const [name, ...args] = program.words;
    const stderr = this.#errorTarget();
    const command = program.make(name, { ...program.options, args, stdin, stdout, stderr });
    if (isAlone) this.#output = command.output();
    else this.container = command.spawn();
  }

  #errorTarget(): NonNullable<CommandOptions["stderr"]> {
    const { stderr, quiet } = this.#program;
    if (stderr !== undefined) return stderr === "stdout" ? stderr : outputTarget(stderr);
    const shown = quiet ? undefined : openFileSink(Deno.stderr);
    const writer: OutputWriter = {
      write: async (bytes) => {
        this.#stderr.add(bytes);
        await shown?.write(bytes);
      },
      close: () => DONE,
      releaseLock: () => {},
    };
    return { locked: false, getWriter: () => writer };
  }

  async end(): Promise<Ended> {
    const output = await (this.#output ?? this.container!.output());
    const { words, options: { cwd } } = this.#program;
    const status = {
      ...statusOf(output),
      command: shownWords(words),
      cwd: cwd === undefined ? undefined : pathOf(cwd),
      stderr: this.#stderr.text(),
    };
    return { status, stdout: this.#isPiped ? output.stdout : new Uint8Array() };
  }
}

/** How a program has ended, and what it has written. */
interface Ended {
  readonly status: ProgramStatus;
  readonly stdout: Uint8Array<ArrayBuffer>;
}

/** Returns how a command has ended: as the last of its programs that has failed, or as the last. */
function resultOf({ programs }: Pipeline, statuses: readonly ProgramStatus[]): CommandResult {
  const failed = statuses.flatMap((status, index) => {
    if (status.success || (index < statuses.length - 1 && isBrokenPipe(status))) return [];
    return [{ status, program: programs[index]! }];
  });
  const fatal = failed.findLast(({ program }) => !program.mayFail);
  const status = fatal?.status ?? failed.at(-1)?.status ?? statuses.at(-1)!;
  const result = { ...status, programs: statuses };
  if (fatal === undefined) return result;
  fatal.program.options.signal?.throwIfAborted();
  throw new CommandError(result);
}

/** Whether a program has ended because the next one has read enough. */
function isBrokenPipe({ signal, code }: ProgramStatus): boolean {
  // An init tells the signal by the code.
  return signal === "SIGPIPE" || code === 128 + 13;
}

function inputSource(input: CommandInput | undefined): InputSource {
  if (input === undefined) return "null";
  if (typeof input === "string" || input instanceof Uint8Array) return new Blob([input]).stream();
  if (input instanceof Blob) return input.stream();
  if (input instanceof Response) return input.body ?? "null";
  return input instanceof URL ? { path: input } : input;
}

/** Returns a target as an option of a command. */
export function outputTarget({ target, append = false }: Target): OutputTarget {
  const isPath = typeof target === "string" || target instanceof URL;
  return isPath ? { path: target, append } : target;
}
