/**
 * The standard streams of a program.
 *
 * @module
 */

import { Slot } from "../ffi/call.ts";
import { close, F_DUPFD_CLOEXEC, F_SETFL, fcntl, O_NONBLOCK } from "../ffi/calls/files.ts";
import { Routine } from "../ffi/routine.ts";
import { syscall } from "../ffi/syscalls.ts";
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

/** A standard stream: a kind, a descriptor of the script's, or for stderr the file of stdout. */
export type StdioSource = StdioKind | "stdout" | { readonly fd: number };

/** Those of stdin, stdout and stderr. */
export type StdioSources = readonly [StdioSource, StdioSource, StdioSource];

/** A pipe between the script and the program. */
interface Pipe {
  readonly ours: number;
  readonly theirs: number;
}

/** The standard streams of a program that is about to start. */
export class StandardStreams {
  readonly #streams: Stdio[] = [];
  readonly #pipes: (Pipe | undefined)[] = [];
  /** The copies of streams of the script's, by the file and the direction. */
  readonly #copies = new Map<string, CopiedStream>();
  /** Duplicates of the script's descriptors, which are closed after the launch. */
  readonly #duplicates: number[] = [];

  /**
   * Opens a pipe for each of stdin, stdout and stderr that is `"piped"`, duplicates the descriptors
   * of the script's, and begins to copy those files that a program with a root of its own may not
   * get.
   *
   * @throws {SyscallError} `EBADF` for a descriptor that is not open, or if too many files are open,
   * or too many processes run
   * @throws {RamekinError} if such a program would get a directory, or a socket without a connection
   */
  constructor(sources: StdioSources, hasOwnRoot = false) {
    try {
      sources.forEach((source, fd) => this.#streams.push(this.#open(source, fd, sources)));
      if (hasOwnRoot) this.#protect(sources);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(source: StdioSource, fd: number, sources: StdioSources): Stdio {
    if (source === "piped") {
      const pipe = this.#pipes[fd] = openPipeTo(fd);
      return { fd: pipe.theirs };
    }
    if (source === "stdout") return this.#sameAsStdout(sources[1]);
    if (typeof source === "string") return source;
    return { fd: this.#duplicate(source.fd) };
  }

  #sameAsStdout(stdout: StdioSource): Stdio {
    if (stdout === "inherit") return { fd: this.#duplicate(1) };
    return this.#streams[1]!;
  }

  /** A number above those of the standard streams, which are replaced one after the other. */
  #duplicate(fd: number): number {
    const duplicate = syscall(fcntl(fd, F_DUPFD_CLOEXEC, 3), { EBADF: NOT_OPEN });
    this.#duplicates.push(duplicate);
    return duplicate;
  }

  /** Replaces the script's streams for a program that must not get the open files themselves. */
  #protect(sources: StdioSources): void {
    const oursAt = (fd: number) => {
      const isPiped = this.#pipes[sources[fd] === "stdout" ? 1 : fd] !== undefined;
      const stream = this.#streams[fd]!;
      if (isPiped || stream === "null") return undefined;
      return stream === "inherit" ? fd : stream.fd;
    };
    const ours = [0, 1, 2].map(oursAt);
    ours.forEach((fd, stream) => {
      if (fd !== undefined) this.#streams[stream] = this.#protected(stream, fd, ours[0]);
    });
  }

  /** Returns what stream `fd` of the program is in place of the script's descriptor `ours`. */
  #protected(fd: number, ours: number, input: number | undefined): Stdio {
    const handover = handoverOf(ours, input, NAMES[fd]!);
    if (handover === "inherit") return this.#streams[fd]!;
    if (handover === "null") return "null";
    // One pipe for two streams to one file, or its lines would change their order.
    const key = `${handover.copyOf} ${fd === 0 ? "read" : "written"}`;
    const copy = this.#copies.get(key) ?? copyStream(fd, ours);
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
    this.#closeDuplicates();
    return this.#pipes.map((pipe) => pipe?.ours);
  }

  /** Closes everything, if the program was not started. */
  close(): void {
    for (const pipe of this.#pipes) {
      if (pipe !== undefined) CLOSING.run(pipe.ours, pipe.theirs);
    }
    this.#closeDuplicates();
    try {
      endServices(this.services);
    } catch {
      // The program was not started, and its error is the cause.
    }
  }

  #closeDuplicates(): void {
    for (const fd of this.#duplicates) syscall(close(fd));
    this.#duplicates.length = 0;
  }
}

const NAMES = ["stdin", "stdout", "stderr"] as const;

/** EBADF of a descriptor that the script hands over. */
export const NOT_OPEN: string =
  "the script has no open file of this number; a descriptor that is handed to a " +
  "program has to be open until it is started";

/** Begins to copy a descriptor of the script's from or to the program's stream `fd`. */
function copyStream(fd: number, ours: number): CopiedStream {
  if (fd !== 0) return copyOutput(ours);
  return isPipe(ours) ? copyNamedPipe(ours) : copyInput(ours);
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
