/**
 * The streams of a launch, made of the options of a command.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { HandedFd } from "../launch/exec.ts";
import type { StdioKind, StdioSource, StdioSources } from "../launch/stdio.ts";
import { descriptorOf } from "./file_descriptor.ts";
import { openInput, openOutput } from "./stdio_files.ts";
import {
  type InputSource,
  isFile,
  isReadable,
  isWritable,
  type OutputFile,
  type OutputSink,
  type OutputTarget,
  type StdioFile,
  type StdioOptions,
} from "./stdio_options.ts";

/** Streams of the script's that are passed on: by the number of the program's stream. */
export interface PassedStreams {
  readonly input?: ReadableStream<Uint8Array> | undefined;
  readonly outputs: ReadonlyMap<number, OutputSink>;
}

/** Returns the descriptors of the script's that the option `fds` names. */
export function handedFds({ fds = {} }: StdioOptions): readonly HandedFd[] {
  return Object.entries(fds).map(([number, file]) => ({
    number: Number(number),
    fd: typeof file === "number" ? file : descriptorOf(file, "read"),
  }));
}

/**
 * Returns the streams of the script's among the options, which need the event loop.
 *
 * @throws {TypeError} if one is in use
 */
export function passedStreams({ stdin, stdout, stderr }: StdioOptions): PassedStreams | undefined {
  const outputs = new Map<number, OutputSink>();
  if (isWritable(stdout)) outputs.set(1, stdout);
  if (isWritable(stderr)) outputs.set(2, stderr);
  const input = isReadable(stdin) ? stdin : undefined;
  if (input === undefined && outputs.size === 0) return undefined;
  if (outputs.size === 2 && stdout === stderr) {
    throw new TypeError('one stream cannot be stdout and stderr; use { stderr: "stdout" }');
  }
  if ([input, ...outputs.values()].some((stream) => stream?.locked === true)) {
    throw new TypeError("a stream for the program is locked: something else reads or writes it");
  }
  return { input, outputs };
}

/** The streams of a launch, and the files that were opened for it. */
export class LaunchStdio {
  readonly sources: StdioSources;
  readonly #opened: number[] = [];
  readonly #outputs = new Map<string, number>();

  /**
   * Opens the files that are given by their paths.
   *
   * @throws {SyscallError} if one cannot be opened; the others are closed then
   */
  constructor(
    { stdin, stdout, stderr }: StdioOptions,
    defaults: readonly [StdioKind, StdioKind, StdioKind],
  ) {
    try {
      this.sources = [
        this.#input(stdin ?? defaults[0]),
        this.#output(stdout ?? defaults[1], "stdout"),
        stderr === "stdout" ? stderr : this.#output(stderr ?? defaults[2], "stderr"),
      ];
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #input(source: InputSource): StdioSource {
    if (isReadable(source)) return "piped";
    return simple(source, "read") ?? { fd: this.#keep(openInput((source as StdioFile).path)) };
  }

  #output(target: OutputTarget, stream: string): StdioSource {
    if (isWritable(target)) return "piped";
    const found = simple(target, "write");
    if (found !== undefined) return found;
    const { path, append = false } = target as OutputFile;
    // One open file for both streams, or they would overwrite each other.
    const key = `${path} ${append}`;
    const fd = this.#outputs.get(key) ?? this.#keep(openOutput(path, append, stream));
    this.#outputs.set(key, fd);
    return { fd };
  }

  #keep(fd: number): number {
    this.#opened.push(fd);
    return fd;
  }

  /** Closes the opened files; the program has its own by then. */
  close(): void {
    for (const fd of this.#opened.splice(0)) syscall(close(fd));
  }
}

/** Returns what needs no opening. */
function simple(
  stream: InputSource | OutputTarget,
  use: "read" | "write",
): StdioSource | undefined {
  if (typeof stream === "string") return stream;
  if (typeof stream === "number") return { fd: stream };
  return isFile(stream) ? { fd: descriptorOf(stream, use) } : undefined;
}
