/**
 * The standard streams of a program.
 *
 * @module
 */

import { Output, Slot } from "../ffi/call.ts";
import { close, F_SETFL, fcntl, O_CLOEXEC, O_NONBLOCK, pipe2 } from "../ffi/calls/files.ts";
import { Routine } from "../ffi/routine.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { Stdio } from "./exec.ts";

/** The kind of a standard stream, as `Deno.Command` has it. */
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
   * Opens a pipe for each of stdin, stdout and stderr that is `"piped"`.
   *
   * @throws {SyscallError} if too many files are open
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

  /** The program's streams. */
  get theirs(): readonly Stdio[] {
    return this.#kinds.map((kind, fd) => {
      const pipe = this.#pipes[fd];
      return pipe === undefined ? kind as "inherit" | "null" : { fd: pipe.theirs };
    });
  }

  /** Closes the program's ends after the launch, and returns the script's. */
  release(): readonly (number | undefined)[] {
    for (const pipe of this.#pipes) if (pipe !== undefined) RELEASING.run(pipe.theirs, pipe.ours);
    return this.#pipes.map((pipe) => pipe?.ours);
  }

  /** Closes both ends of every pipe. */
  close(): void {
    for (const pipe of this.#pipes) {
      if (pipe === undefined) continue;
      syscall(close(pipe.ours));
      syscall(close(pipe.theirs));
    }
  }
}

/** Opens a pipe, in which the script has the writable end for stdin, and the readable one else. */
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
