/**
 * The pipes of a container as web streams, with backpressure: nothing is read that nobody wants.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { perform } from "../ffi/perform.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { readSome, writeSome } from "../ffi/transfer.ts";

/** How many reads in a row may find something before the event loop gets its turn. */
const READS_A_TURN = 16;

/** A descriptor of the script's that is one side of a pipe or a terminal. */
export class Channel {
  readonly #watch: Watch;
  #readsThisTurn = 0;
  #abandoned = false;

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
      if (bytes !== undefined) return bytes;
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
export class OutputStream extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /** Everything up to the end. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return concat(await Array.fromAsync(this));
  }

  /** Everything up to the end, in one buffer. */
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  /** Everything up to the end, as UTF-8. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** Everything up to the end, as JSON. */
  // deno-lint-ignore no-explicit-any
  async json(): Promise<any> {
    return JSON.parse(await this.text());
  }
}

/** What a program writes, as a stream of bytes; the channel is closed at its end. */
export function outputStream(channel: Channel): OutputStream {
  // Deno's type of the constructor's argument does not fit a subclass.
  return new OutputStream({
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
  } as UnderlyingByteSource as unknown as UnderlyingDefaultSource<Uint8Array<ArrayBuffer>>);
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
