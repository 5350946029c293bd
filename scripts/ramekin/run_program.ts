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
  type CommandStatus,
  type Container,
  LaunchTimeoutError,
  newSession,
  PermissionError,
  type Recipe,
  SyscallError,
} from "../../mod.ts";
import { errorReport } from "./error_report.ts";
import { type Paint, paintFor, plain, printError } from "./output.ts";
import type { Report } from "./status_fd.ts";
import type { Verbose } from "./verbose.ts";

/**
 * The recipe in a session of its own, without ramekin's terminal as the controlling one: a program
 * could type there (TIOCSTI), also by /dev/tty where none of its streams is a terminal.
 */
export function apart(box: Recipe): Recipe {
  const isApart = box.steps.some(({ step }) => step === "newSession");
  return isApart ? box : box.with(newSession());
}

/** The same for a program that still gets a terminal, as its standard error, and none of its own. */
export function apartAtTerminal(box: Recipe, { terminal }: CommandOptions): Recipe {
  const hasTerminal = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
  return terminal === true || !hasTerminal ? box : apart(box);
}

/** Makes the command of a program in the container. */
export type MakeCommand = (program: string, options: CommandOptions) => Command;

/** Returns whether the missing permission is granted now, so that the program can be started again. */
export type Denied = (error: PermissionError) => boolean;

/** The status of a program that a filter has killed: 128 and SIGSYS. An init passes it on. */
const BAD_CALL = 128 + 31;

/** What is said of a program that was killed, as it can say nothing itself. */
const KILLED_BY_FILTER = "ramekin: killed by SIGSYS: a system call that the filter of the recipe " +
  "(seccomp) denies\n  which one is in the kernel's log, by its number: journalctl -k --grep " +
  'type=1326\n  32-bit programs need ramekin sandbox --32-bit, or "architectures" of seccomp()';

const OUT_OF_MEMORY = "ramekin: a process was killed, as the container has used all the memory " +
  "that its limits() allow\n  give it more: ramekin sandbox --memory=SIZE";

const OUT_OF_TIME = "ramekin: the program was ended, as its time was over\n" +
  "  give it more: ramekin sandbox --timeout=TIME, or bounds()";

/**
 * The exit statuses of a shell for a program that does not exist, and for one that cannot start; and
 * of timeout(1) for one that was ended.
 */
const STATUS = { notFound: 127, notStarted: 126, timedOut: 124 } as const;

/** What a program is run with. */
export interface RunOptions {
  /** The name of the container, which is that of the program otherwise. */
  readonly name?: string | undefined;
  /** Asks for a permission that is missing. */
  readonly denied?: Denied;
  /** Is told how the program has ended. */
  readonly report?: Report | undefined;
  /** Tells what is done. */
  readonly verbose?: Verbose | undefined;
  /** Is called when the program has run and ended. */
  readonly ended?: (container: Container) => void;
}

/**
 * Runs a program to its end, and returns the exit status.
 *
 * @param words the program and its arguments; without any, the user's shell
 */
export async function runProgram(
  words: readonly string[],
  make: MakeCommand,
  { name, denied = () => false, report, verbose, ended }: RunOptions = {},
): Promise<number> {
  const [program = environment()["SHELL"] ?? "sh", ...args] = words;
  const terminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const options: CommandOptions = {
    args,
    ...(terminal && { terminal }),
    ...(name !== undefined && { name }),
  };
  try {
    const start = (program: string) => spawn(() => make(program, options), denied);
    using running = startShell(program, start, words.length === 0);
    verbose?.started(running.container.pid);
    const end = await running.container.status;
    const { code, timedOut, outOfMemory } = end;
    report?.(end);
    verbose?.ended(end);
    if (code === BAD_CALL) printError(KILLED_BY_FILTER);
    ended?.(running.container);
    if (outOfMemory) printError(OUT_OF_MEMORY);
    if (timedOut) printError(OUT_OF_TIME);
    return exitCode(end);
  } catch (error) {
    const status = startStatus(error);
    if (status === undefined) throw error;
    const text = (paint: Paint) => errorReport(error, { paint, debug: false });
    printError(text(paintFor(Deno.stderr)));
    report?.({ code: status, reason: text(plain) });
    return status;
  }
}

/** Starts the program; `sh` replaces the user's shell if the container does not have that. */
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

/** Starts it, and again each time that a missing permission is granted. */
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

/** The exit status for how a program has ended. */
export function exitCode({ code, timedOut }: Pick<CommandStatus, "code" | "timedOut">): number {
  return timedOut ? STATUS.timedOut : code;
}

/** The exit status for a program that does not start, or not in time; `undefined` for errors of the container. */
export function startStatus(error: unknown): number | undefined {
  if (error instanceof Deno.errors.NotFound && error.cause instanceof SyscallError) {
    return STATUS.notFound;
  }
  if (error instanceof LaunchTimeoutError) return STATUS.timedOut;
  return error instanceof SyscallError && error.syscall === "execve"
    ? STATUS.notStarted
    : undefined;
}

/** The signals by which a process is asked to end, or told something. */
const SIGNALS: readonly Deno.Signal[] = [
  ...["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const,
  ...["SIGUSR1", "SIGUSR2", "SIGALRM"] as const,
];

/** A program that runs, and gets the signals that ramekin gets. */
class Running implements Disposable {
  readonly container: Container;
  readonly #listeners = SIGNALS.map((signal) => ({ signal, pass: () => this.#pass(signal) }));

  /** Starts it. Until it runs, a signal ends ramekin: no listener is called while a launch waits. */
  constructor(command: Command) {
    this.container = command.spawn();
    for (const { signal, pass } of this.#listeners) Deno.addSignalListener(signal, pass);
  }

  #pass(signal: Deno.Signal): void {
    try {
      this.container.kill(signal);
    } catch (error) {
      // The program has ended meanwhile.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const { signal, pass } of this.#listeners) Deno.removeSignalListener(signal, pass);
  }
}
