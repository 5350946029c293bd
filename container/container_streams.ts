/**
 * The piped standard streams of a container.
 *
 * @module
 */

import { FdStream } from "../ffi/fd_stream.ts";
import { type CommandOutput, commandOutput, OutputCollector } from "../launch/output.ts";
import type { CommandStatus } from "../launch/status.ts";
import type { StreamPumps } from "./passed_streams.ts";
import { inputStream, type OutputStream, outputStream } from "./streams.ts";

const STREAMS = ["stdin", "stdout", "stderr"] as const;

/** What the streams of a container are made of. */
export interface StreamSources {
  /** The script's ends of those that are piped, by their numbers. */
  readonly descriptors: readonly (number | undefined)[];
  /** What passes streams of the script's on. */
  readonly pumps: StreamPumps | undefined;
  /** How many bytes of a stream are collected before the container is killed. */
  readonly maxOutput: number | undefined;
  /** Kills the container. */
  readonly kill: () => void;
}

/** The streams, each of which is made when it is first asked for. */
export class ContainerStreams {
  readonly #channels: readonly (FdStream | undefined)[];
  readonly #pumps: StreamPumps | undefined;
  readonly #maxOutput: number | undefined;
  readonly #kill: () => void;
  #stdin: WritableStream<Uint8Array> | undefined;
  readonly #outputs: (OutputStream | undefined)[] = [];
  /** Whether `collect()` was called. */
  #collects = false;

  constructor({ descriptors, pumps, maxOutput, kill }: StreamSources) {
    this.#channels = descriptors.map((fd) => fd === undefined ? undefined : new FdStream(fd));
    this.#pumps = pumps;
    this.#maxOutput = maxOutput;
    this.#kill = kill;
    pumps?.done.catch(kill);
  }

  /** @throws {TypeError} if it is not piped */
  get stdin(): WritableStream<Uint8Array> {
    return this.#stdin ??= inputStream(this.#channel(0));
  }

  /** @throws {TypeError} if it is not piped */
  output(fd: 1 | 2): OutputStream {
    const stream = this.#outputs[fd] ??= outputStream(this.#channel(fd));
    // What is collected is not to be had twice.
    if (this.#collects && !stream.locked) stream.getReader();
    return stream;
  }

  /**
   * Reads the outputs to their ends.
   *
   * @throws {TypeError} if one is or was read elsewhere
   * @throws {OutputLimitError} if there is more than is collected
   */
  async collect(status: Promise<CommandStatus>): Promise<CommandOutput> {
    for (const fd of [1, 2]) {
      if (this.#channels[fd] === undefined) continue;
      if (this.#collects || this.#outputs[fd]?.locked === true) {
        const name = STREAMS[fd];
        throw new TypeError(`Cannot collect output: '${name}' is locked`);
      }
    }
    this.#collects = true;
    const [end, stdout, stderr] = await Promise.all([
      status,
      this.#collect(1),
      this.#collect(2),
    ]);
    await this.#pumps?.done;
    return commandOutput(end, stdout?.bytes(), stderr?.bytes());
  }

  /** The open descriptors, also those of streams that are passed on. */
  get open(): readonly FdStream[] {
    const own = this.#channels.filter((channel) => channel !== undefined);
    return this.#pumps === undefined ? own : [...own, ...this.#pumps.channels];
  }

  /** Called once the container has ended. */
  ended(): void {
    this.#pumps?.ended();
  }

  #channel(fd: 0 | 1 | 2): FdStream {
    const channel = this.#channels[fd];
    if (channel === undefined) {
      const name = STREAMS[fd];
      throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
    }
    return channel;
  }

  async #collect(fd: 1 | 2): Promise<OutputCollector | undefined> {
    const channel = this.#channels[fd];
    if (channel === undefined) return undefined;
    const collected = new OutputCollector(fd, this.#maxOutput);
    for await (const bytes of this.#outputs[fd] ?? channel.chunks()) {
      collected.add(bytes);
      if (!collected.overflows) continue;
      this.#kill();
      break;
    }
    channel.close();
    return collected;
  }
}
