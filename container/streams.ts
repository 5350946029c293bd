/**
 * The pipes of a container as web streams, with backpressure: nothing is read before it is
 * requested.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { FdStream } from "../ffi/fd_stream.ts";

/** A program's output, with the methods of `Deno.SubprocessReadableStream`. */
export interface OutputStream extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /** Reads all bytes up to the end. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads all bytes up to the end into one buffer. */
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Reads all bytes up to the end as UTF-8. */
  text(): Promise<string>;
  /** Reads all bytes up to the end as JSON. */
  // deno-lint-ignore no-explicit-any
  json(): Promise<any>;
}

/** Returns a byte stream of a program's output; the channel is closed at its end. */
export function outputStream(channel: FdStream): OutputStream {
  const stream = new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController): Promise<void> {
      const bytes = await channel.read();
      if (bytes.length > 0) return controller.enqueue(bytes);
      channel.close();
      controller.close();
      // A pending BYOB request has to be answered after close() too (Streams, 4.7.3).
      controller.byobRequest?.respond(0);
    },
    cancel: () => channel.close(),
  });
  // This is no subclass, because a reference to ReadableStream at import makes Deno load all
  // streams.
  const bytes = async () => concat(await allOf(stream));
  const text = async () => new TextDecoder().decode(await bytes());
  return Object.assign(stream, {
    bytes,
    text,
    arrayBuffer: async () => (await bytes()).buffer,
    json: async () => JSON.parse(await text()),
  });
}

/** Reads all parts of a stream, which stays locked, as with Deno.Command. */
async function allOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const reader = stream.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return parts;
    parts.push(value);
  }
}

/**
 * Returns a stream to a program's input; closing it closes the input, and so does a write that
 * fails. Where nobody reads it any more, that is `Deno.errors.BrokenPipe`, as with Deno.Command.
 */
export function inputStream(channel: FdStream): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(chunk): Promise<void> {
      try {
        await channel.write(bytesOf(chunk));
      } catch (error) {
        channel.close();
        throw brokenPipe(error) ?? error;
      }
    },
    close: () => channel.close(),
    abort: () => channel.close(),
  });
}

/** Returns the bytes of a chunk, which may be any view of a buffer. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError("Expected ArrayBuffer or ArrayBufferView for write chunk");
}

function brokenPipe(error: unknown): Error | undefined {
  if (!(error instanceof SyscallError) || error.code !== "EPIPE") return undefined;
  const message = "the program has ended, or has closed its standard input: EPIPE";
  return Object.assign(new Deno.errors.BrokenPipe(message, { cause: error }), { code: "EPIPE" });
}
