/**
 * The standard streams of a program.
 *
 * @module
 */

import { Slot } from "../ffi/call.ts";
import { close, F_SETFL, fcntl, O_NONBLOCK } from "../ffi/calls/files.ts";
import { Routine } from "../ffi/routine.ts";
import { copyInput } from "./copied_input.ts";
import { copyNamedPipe } from "./copied_named_pipe.ts";
import { copyOutput } from "./copied_output.ts";
import type { CopiedStream } from "./copied_stream.ts";
import type { Stdio } from "./exec.ts";
import { handoverOf, isPipe } from "./inherited_stream.ts";
import { openPipe } from "./pipe.ts";
import { endServices, type RunningService } from "./running_service.ts";

/** The kind of a standard stream, as `Deno.Command` has it. */
export type StdioKind = "piped" | "inherit" | "null";

/** A pipe between the script and the program. */
interface Pipe {
  readonly ours: number;
  readonly theirs: number;
}

/** The standard streams of a program that is about to start. */
export class StandardStreams {
  readonly #streams: Stdio[] = [];
  readonly #pipes: (Pipe | undefined)[] = [];
  /** The copies of inherited streams, by the file and the direction. */
  readonly #copies = new Map<string, CopiedStream>();

  /**
   * Opens a pipe for each of stdin, stdout and stderr that is `"piped"`, and begins to copy those
   * that a program with a root of its own may not inherit.
   *
   * @throws {SyscallError} if too many files are open, or too many processes run
   * @throws {RamekinError} if such a program would inherit a directory, or a socket without a
   * connection
   */
  constructor(kinds: readonly [StdioKind, StdioKind, StdioKind], hasOwnRoot = false) {
    const input = kinds[0] === "inherit" ? 0 : undefined;
    try {
      kinds.forEach((kind, fd) => {
        const pipe = this.#pipes[fd] = kind === "piped" ? openPipeTo(fd) : undefined;
        if (pipe !== undefined) this.#streams.push({ fd: pipe.theirs });
        else if (kind === "inherit" && hasOwnRoot) {
          this.#streams.push(this.#protected(fd, input));
        } else this.#streams.push(kind as "inherit" | "null");
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Returns a stream of the script's for a program that must not get the open file itself. */
  #protected(fd: number, input: 0 | undefined): Stdio {
    const handover = handoverOf(fd, input);
    if (typeof handover === "string") return handover;
    // One pipe for two streams to one file, or its lines would change their order.
    const key = `${handover.copyOf} ${fd === 0 ? "read" : "written"}`;
    const copy = this.#copies.get(key) ?? copyStream(fd);
    this.#copies.set(key, copy);
    return { fd: copy.theirs };
  }

  /** The program's streams. */
  get theirs(): readonly Stdio[] {
    return this.#streams;
  }

  /** What has to be ended when the program has ended: then all that it has written is there. */
  get services(): readonly RunningService[] {
    return [...this.#copies.values()];
  }

  /** Closes the program's ends after the launch, and returns the script's. */
  release(): readonly (number | undefined)[] {
    for (const pipe of this.#pipes) if (pipe !== undefined) RELEASING.run(pipe.theirs, pipe.ours);
    for (const copy of this.#copies.values()) copy.handOver();
    return this.#pipes.map((pipe) => pipe?.ours);
  }

  /** Closes everything, if the program was not started. */
  close(): void {
    for (const pipe of this.#pipes) {
      if (pipe !== undefined) CLOSING.run(pipe.ours, pipe.theirs);
    }
    try {
      endServices(this.services);
    } catch {
      // The program was not started, and its error is the cause.
    }
  }
}

function copyStream(fd: number): CopiedStream {
  if (fd !== 0) return copyOutput(fd);
  return isPipe(fd) ? copyNamedPipe(fd) : copyInput(fd);
}

/** Opens a pipe, in which the script has the writable end for stdin, and the readable one else. */
function openPipeTo(fd: number): Pipe {
  const { reader, writer } = openPipe();
  return fd === 0 ? { ours: writer, theirs: reader } : { ours: reader, theirs: writer };
}

const THEIRS = new Slot("theirs"), OURS = new Slot("ours");
const RELEASING = new Routine([THEIRS, OURS], [
  { call: close(THEIRS) },
  { call: fcntl(OURS, F_SETFL, O_NONBLOCK) },
]);
const CLOSING = new Routine([OURS, THEIRS], [{ call: close(OURS) }, { call: close(THEIRS) }]);
