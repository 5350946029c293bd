/**
 * A program in a container, run as a shell runs its own: on the same terminal, with the signals that
 * ramekin gets, and with the same exit status.
 *
 * @module
 */

import { environment } from "../../host.ts";
import {
  type Command,
  type CommandOptions,
  type Container,
  newSession,
  PermissionError,
  type Recipe,
  SyscallError,
} from "../../mod.ts";
import { issue } from "./error_report.ts";
import { paintFor, printError } from "./output.ts";

/**
 * The recipe, for a program that gets no terminal of its own: one that is handed to it all the same,
 * as its standard error, must not be its controlling one, or it could type there (TIOCSTI).
 */
export function apart(box: Recipe, { terminal }: CommandOptions): Recipe {
  const isHanded = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
  const isApart = box.steps.some(({ step }) => step === "newSession");
  return terminal === true || isApart || !isHanded ? box : box.with(newSession());
}

/** Makes the command of a program in the container. */
export type MakeCommand = (program: string, options: CommandOptions) => Command;

/** Whether what was not granted is granted now, so that the program can be started again. */
export type Denied = (error: PermissionError) => boolean;

/** What a shell answers for a program that is not there, and for one that cannot be started. */
const STATUS = { notFound: 127, notStarted: 126 } as const;

/**
 * Runs a program to its end, and answers the exit status.
 *
 * @param words the program and its arguments; without any, the user's shell
 */
export async function runProgram(
  words: readonly string[],
  make: MakeCommand,
  denied: Denied = () => false,
): Promise<number> {
  const [program = environment()["SHELL"] ?? "sh", ...args] = words;
  const terminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const options: CommandOptions = { args, ...(terminal && { terminal }) };
  try {
    const start = (program: string) => spawn(() => make(program, options), denied);
    using running = startShell(program, start, words.length === 0);
    return (await running.container.status).code;
  } catch (error) {
    const status = startStatus(error);
    if (status === undefined) throw error;
    printError(issue(error, { paint: paintFor(Deno.stderr), debug: false }));
    return status;
  }
}

/** Starts the program; where the user's shell is not in the container, `sh` stands in for it. */
function startShell(
  program: string,
  start: (program: string) => Running,
  isShell: boolean,
): Running {
  try {
    return start(program);
  } catch (error) {
    if (!isShell || startStatus(error) !== STATUS.notFound) throw error;
    return start("sh");
  }
}

/** Starts it, as often as something more is granted. */
function spawn(make: () => Command, denied: Denied): Running {
  for (let before: string | undefined;;) {
    try {
      return new Running(make());
    } catch (error) {
      if (!(error instanceof PermissionError) || error.message === before) throw error;
      if (!denied(error)) throw error;
      before = error.message;
    }
  }
}

/** The status for an error of the program's start; `undefined` for those of the container. */
function startStatus(error: unknown): number | undefined {
  if (error instanceof Deno.errors.NotFound && error.cause instanceof SyscallError) {
    return STATUS.notFound;
  }
  return error instanceof SyscallError && error.syscall === "execve"
    ? STATUS.notStarted
    : undefined;
}

/** The signals by which a process is asked to end. */
const SIGNALS: readonly Deno.Signal[] = ["SIGTERM", "SIGINT", "SIGHUP"];

/** A program that runs, and gets the signals that ramekin gets, from its first moment on. */
class Running implements Disposable {
  readonly container: Container;
  readonly #listeners = SIGNALS.map((signal) => ({ signal, pass: () => this.#pass(signal) }));

  /** Starts it. */
  constructor(command: Command) {
    for (const { signal, pass } of this.#listeners) Deno.addSignalListener(signal, pass);
    try {
      this.container = command.spawn();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #pass(signal: Deno.Signal): void {
    try {
      this.container.kill(signal);
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const { signal, pass } of this.#listeners) Deno.removeSignalListener(signal, pass);
  }
}
