/**
 * The pipes of a container as web streams, with backpressure: nothing is read that nobody wants.
 *
 * @module
 */

import { close, F_SETPIPE_SZ, fcntl } from "../../ffi/calls/files.ts";
import { perform, performAll } from "../../ffi/perform.ts";
import { reactor, type Watch } from "../../ffi/reactor.ts";
import { readSome, writeSome } from "../../ffi/transfer.ts";

/** How many reads in a row may find something before the event loop gets its turn. */
const READS_A_TURN = 64;

/** What a pipe holds at first, and at most for an ordinary user (sysctl fs.pipe-max-size). */
const PIPE_SIZE = 64 * 1024, LARGE_PIPE_SIZE = 1024 * 1024;

/** A descriptor of the script's that is one side of a pipe or a terminal. */
export class Channel {
  readonly #watch: Watch;
  #readsThisTurn = 0;
  #abandoned = false;
  #grown = false;

  /** Takes the descriptor over; where it may block, it is only read when there is something. */
  constructor(readonly fd: number, readonly blocking: boolean = false) {
    this.#watch = reactor().watch(fd);
    if (blocking) this.#readsThisTurn = READS_A_TURN;
  }

  /** The next bytes; empty at the end. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      if (this.#watch.closed) return new Uint8Array();
      const bytes = this.#readsThisTurn < READS_A_TURN ? readSome(this.fd) : undefined;
      this.#readsThisTurn++;
      if (bytes !== undefined) {
        if (bytes.length === PIPE_SIZE) this.#grow();
        return bytes;
      }
      if (this.#abandoned) return new Uint8Array();
      await this.#watch.ready("readable");
      this.#readsThisTurn = this.blocking ? READS_A_TURN - 1 : 0;
    }
  }

  /** Everything up to the end. */
  async readAll(): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const bytes = await this.read();
      if (bytes.length === 0) return parts.length === 1 ? parts[0]! : concat(parts);
      parts.push(bytes);
    }
  }

  /** Writes all the bytes, as fast as they are taken. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#watch.closed) throw new Deno.errors.BrokenPipe("the stream is closed");
      const count = writeSome(this.fd, bytes.subarray(done));
      done += count;
      if (count === 0) await this.#watch.ready("writable");
    }
  }

  /** Takes what is there for the end, as whoever is left on the other side will not be waited for. */
  abandon(): void {
    this.#abandoned = true;
    if (!this.blocking) this.#readsThisTurn = 0;
    this.#watch.signal();
  }

  /** A pipe that was full is made as large as an ordinary user may have it (pipe(7)). */
  #grow(): void {
    if (this.#grown) return;
    this.#grown = true;
    // A user may have only so many large pipes, and a terminal is none.
    const call = fcntl(this.fd, F_SETPIPE_SZ, LARGE_PIPE_SIZE);
    performAll([{ call, accept: ["EPERM", "EBUSY", "EBADF", "ENOMEM"] }]);
  }

  /** Says whether waiting for it keeps the event loop alive. */
  keepAlive(ref: boolean): void {
    this.#watch.keepAlive(ref);
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#watch.closed;
  }

  /** Closes the descriptor. */
  close(): void {
    if (this.#watch.closed) return;
    this.#watch.close();
    perform(close(this.fd));
  }
}

/** A program's output, with the methods of `Deno.Command`'s. */
export interface OutputStream extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /** Everything up to the end. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Everything up to the end, in one buffer. */
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Everything up to the end, as UTF-8. */
  text(): Promise<string>;
  /** Everything up to the end, as JSON. */
  // deno-lint-ignore no-explicit-any
  json(): Promise<any>;
}

/** What a program writes, as a stream of bytes; the channel is closed at its end. */
export function outputStream(channel: Channel): OutputStream {
  const stream = new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController): Promise<void> {
      const bytes = await channel.read();
      if (bytes.length > 0) return controller.enqueue(bytes);
      channel.close();
      controller.close();
      // Who waits with a buffer of its own has to be answered too (Streams, 4.7.3).
      controller.byobRequest?.respond(0);
    },
    cancel: () => channel.close(),
  });
  // No subclass: to name ReadableStream at import makes Deno load all streams.
  const bytes = async () => concat(await Array.fromAsync(stream));
  const text = async () => new TextDecoder().decode(await bytes());
  return Object.assign(stream, {
    bytes,
    text,
    arrayBuffer: async () => (await bytes()).buffer,
    json: async () => JSON.parse(await text()),
  });
}

/** What a program reads, as a stream; closing it closes the program's input. */
export function inputStream(channel: Channel): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: (bytes) => channel.write(bytes),
    close: () => channel.close(),
    abort: () => channel.close(),
  });
}

/** The parts as one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
