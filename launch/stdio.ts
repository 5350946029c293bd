/**
 * The standard streams of a program: pipes where the script wants to have the other side.
 *
 * @module
 */

import { Output, Slot } from "../ffi/call.ts";
import { close, F_SETFL, fcntl, O_CLOEXEC, O_NONBLOCK, pipe2 } from "../ffi/calls/files.ts";
import { Routine } from "../ffi/routine.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { Stdio } from "./exec.ts";

/** What a standard stream of the program is, as `Deno.Command` has it. */
export type StdioKind = "piped" | "inherit" | "null";

/** A pipe between the script and the program. */
interface Pipe {
  readonly ours: number;
  readonly theirs: number;
}

/** The standard streams of a program that is about to start. */
export class StandardStreams {
  readonly #kinds: readonly StdioKind[];
  readonly #pipes: (Pipe | undefined)[] = [];

  /**
   * Opens the pipes that the kinds of stdin, stdout and stderr ask for.
   *
   * @throws {SyscallError} where no more files may be open
   */
  constructor(kinds: readonly [StdioKind, StdioKind, StdioKind]) {
    this.#kinds = kinds;
    try {
      kinds.forEach((kind, fd) => this.#pipes.push(kind === "piped" ? openPipe(fd) : undefined));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What the program gets. */
  get theirs(): readonly Stdio[] {
    return this.#kinds.map((kind, fd) => {
      const pipe = this.#pipes[fd];
      return pipe === undefined ? kind as "inherit" | "null" : { fd: pipe.theirs };
    });
  }

  /** Once the program has its sides: closes them here, and returns the script's. */
  release(): readonly (number | undefined)[] {
    for (const pipe of this.#pipes) if (pipe !== undefined) RELEASING.run(pipe.theirs, pipe.ours);
    return this.#pipes.map((pipe) => pipe?.ours);
  }

  /** Closes both sides of every pipe. */
  close(): void {
    for (const pipe of this.#pipes) {
      if (pipe === undefined) continue;
      syscall(close(pipe.ours));
      syscall(close(pipe.theirs));
    }
  }
}

/** The script writes to the pipe of the program's standard input, and reads from the others. */
function openPipe(fd: number): Pipe {
  const opened = OPENING.run().output(ENDS);
  const [readable, writable] = [opened.getInt32(0, true), opened.getInt32(4, true)];
  return fd === 0 ? { ours: writable, theirs: readable } : { ours: readable, theirs: writable };
}

const ENDS = new Output(8, "&ends");
const OPENING = new Routine([], [{ call: pipe2(ENDS, O_CLOEXEC) }]);

const THEIRS = new Slot("theirs"), OURS = new Slot("ours");
const RELEASING = new Routine([THEIRS, OURS], [
  { call: close(THEIRS) },
  { call: fcntl(OURS, F_SETFL, O_NONBLOCK) },
]);
