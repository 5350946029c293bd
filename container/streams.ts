/**
 * The pipes of a container as web streams, with backpressure: nothing is read that nobody wants.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";
import type { FdStream } from "../ffi/fd_stream.ts";

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
export function outputStream(channel: FdStream): OutputStream {
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
export function inputStream(channel: FdStream): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: (bytes) => channel.write(bytes),
    close: () => channel.close(),
    abort: () => channel.close(),
  });
}
