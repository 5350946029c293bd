/**
 * A program in a container, run as a shell runs its own: on the same terminal, with the signals that
 * ramekin gets, and with the same exit status.
 *
 * @module
 */

import { environmentVariable } from "../../ffi/environment.ts";
import { SyscallError } from "../../ffi/errors.ts";
import type { Command, CommandOptions } from "../../recipe/command.ts";
import type { Container } from "../../recipe/container.ts";
import { complaint } from "./complaint.ts";
import { paintFor, printError } from "./output.ts";

/** Makes the command of a program in the container. */
export type MakeCommand = (program: string, options: CommandOptions) => Command;

/** What a shell answers for a program that is not there, and for one that cannot be started. */
const STATUS = { notFound: 127, notStarted: 126 } as const;

/**
 * Runs a program to its end, and answers the exit status.
 *
 * @param words the program and its arguments; without any, the user's shell
 */
export async function runProgram(words: readonly string[], make: MakeCommand): Promise<number> {
  const [program = environmentVariable("SHELL") ?? "sh", ...args] = words;
  const terminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const options: CommandOptions = { args, ...(terminal && { terminal }) };
  let container: Container;
  try {
    container = spawn(program, options, make, words.length === 0);
  } catch (error) {
    const status = startStatus(error);
    if (status === undefined) throw error;
    printError(complaint(error, { paint: paintFor(Deno.stderr), debug: false }));
    return status;
  }
  return await passingSignals(container);
}

/** Starts the program; where the user's shell is not in the container, `sh` stands in for it. */
function spawn(
  program: string,
  options: CommandOptions,
  make: MakeCommand,
  isShell: boolean,
): Container {
  try {
    return make(program, options).spawn();
  } catch (error) {
    if (!isShell || startStatus(error) !== STATUS.notFound) throw error;
    return make("sh", options).spawn();
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

async function passingSignals(container: Container): Promise<number> {
  const listeners = SIGNALS.map((signal) => {
    const pass = () => kill(container, signal);
    Deno.addSignalListener(signal, pass);
    return { signal, pass };
  });
  try {
    return (await container.status).code;
  } finally {
    for (const { signal, pass } of listeners) Deno.removeSignalListener(signal, pass);
  }
}

function kill(container: Container, signal: Deno.Signal): void {
  try {
    container.kill(signal);
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof TypeError)) throw error;
  }
}
