/**
 * Streams of the script's that are a program's standard streams: the script passes their bytes on,
 * through pipes, as fast as they are taken.
 *
 * @module
 */

import { SyscallError } from "../ffi/errors.ts";
import { FdStream } from "../ffi/fd_stream.ts";
import { type CommandOutput, commandOutput } from "../launch/output.ts";
import { statusOf } from "../launch/status.ts";
import type { PassedStreams } from "./launch_stdio.ts";
import type { OutputSink } from "./stdio_options.ts";

/** The passing on of a program's streams. */
export class StreamPumps {
  /** The script's ends of the pipes. */
  readonly channels: readonly FdStream[];
  /**
   * Resolves when all that the program has written was passed on; rejects if a stream of the
   * script's fails, after which the program has to be killed.
   */
  readonly done: Promise<void>;
  readonly #input: Input | undefined;

  /** Takes over the descriptors of the script's ends. */
  constructor({ input, outputs }: PassedStreams, descriptors: readonly (number | undefined)[]) {
    this.#input = input && new Input(input, new FdStream(descriptors[0]!));
    const passing = [...outputs].map(([fd, target]) => {
      const channel = new FdStream(descriptors[fd]!);
      return { channel, done: passOn(channel, target) };
    });
    const taking = this.#input?.pass();
    this.channels = [
      ...(this.#input === undefined ? [] : [this.#input.channel]),
      ...passing.map(({ channel }) => channel),
    ];
    this.done = Promise.all([taking, ...passing.map(({ done }) => done)]).then(() => {});
    // Only who asks for the output is told.
    this.done.catch(() => {});
  }

  /** Stops to read for a program that has ended. */
  ended(): void {
    this.#input?.stop();
  }
}

/** A stream that is passed on to a program's input. */
class Input {
  readonly channel: FdStream;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #stopped = false;

  constructor(source: ReadableStream<Uint8Array>, channel: FdStream) {
    this.#reader = source.getReader();
    this.channel = channel;
  }

  async pass(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done || this.#stopped) break;
        await this.channel.write(value);
      }
    } catch (error) {
      await this.#reader.cancel(error).catch(() => {});
      // The program must not take what it has got for the whole: it is killed first.
      if (!isBrokenPipe(error)) throw error;
    } finally {
      this.#reader.releaseLock();
    }
    this.channel.close();
  }

  /** The rest of the stream is not read. */
  stop(): void {
    if (this.channel.closed) return;
    this.#stopped = true;
    this.channel.close();
    void this.#reader.cancel().catch(() => {});
  }
}

/** A program need not read its input to the end. */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error instanceof SyscallError && error.code === "EPIPE");
}

/** Passes on what a program has written that has ended, and returns its output without that. */
export async function passOnOutput(
  output: CommandOutput,
  { outputs }: PassedStreams,
  descriptors: readonly (number | undefined)[],
): Promise<CommandOutput> {
  const bytesOf = (fd: number) => fd === 1 ? output.stdout : output.stderr;
  await Promise.all([...outputs].map(async ([fd, target]) => {
    const writer = target.getWriter();
    const bytes = bytesOf(fd);
    if (bytes.length > 0) await writer.write(bytes);
    await writer.close();
    writer.releaseLock();
  }));
  const [stdout, stderr] = [1, 2].map((fd) =>
    descriptors[fd] === undefined || outputs.has(fd) ? undefined : bytesOf(fd)
  );
  return commandOutput(statusOf(output), stdout, stderr);
}

/** Passes a program's output on; where it is not taken any more, the program meets a broken pipe. */
async function passOn(channel: FdStream, target: OutputSink): Promise<void> {
  const writer = target.getWriter();
  try {
    for await (const bytes of channel.chunks()) await writer.write(bytes);
    await writer.close();
  } finally {
    channel.close();
    writer.releaseLock();
  }
}
