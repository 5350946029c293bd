/**
 * A decoder or encoder of node:zlib as a generator. Deno (2.9) decodes on the thread of the script, so
 * that its work and that of its caller take turns; a few decoded pieces wait for the caller.
 *
 * @module
 */

import type { Buffer } from "node:buffer";

/** What the streams of node:zlib have in common, as far as it is used. */
export interface Decoder {
  /** Calls back once it has decoded the piece. */
  write(piece: Uint8Array, done: () => void): boolean;
  end(): unknown;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
  destroy(): unknown;
  on(event: "data", listener: (piece: Buffer) => void): unknown;
  on(event: "end" | "close" | "drain", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Returns the next piece; `undefined` at the end. */
export type NextPiece = () =>
  | Uint8Array<ArrayBuffer>
  | undefined
  | Promise<Uint8Array<ArrayBuffer> | undefined>;

/** How many decoded pieces may wait. */
const [MOST_WAITING, FEW_WAITING] = [8, 4];

/**
 * Decodes pieces until they or the stream ends, whichever is first.
 *
 * @param done is called with each piece that was decoded
 * @throws {Error} the decoder's
 */
export async function* decoded(
  decoder: Decoder,
  next: NextPiece,
  done: (piece: Uint8Array<ArrayBuffer>) => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const waiting: Uint8Array<ArrayBuffer>[] = [];
  let [ended, failure]: [boolean, Error | undefined] = [false, undefined];
  let wake = () => {};
  let filling: Uint8Array<ArrayBuffer> | undefined;
  const handOver = () => {
    if (filling === undefined) return;
    waiting.push(filling);
    filling = undefined;
    if (waiting.length > MOST_WAITING) decoder.pause();
    wake();
  };
  decoder.on("data", (piece) => {
    // A buffer that it goes on to fill is handed over whole, so that its memory can be given back.
    const { buffer, byteOffset, length } = piece as Buffer<ArrayBuffer>;
    if (filling !== undefined && filling.buffer !== buffer) handOver();
    const begin = filling?.byteOffset ?? byteOffset;
    filling = new Uint8Array(buffer, begin, byteOffset + length - begin);
    if (byteOffset + length === buffer.byteLength) handOver();
  });
  const finish = (error?: Error) => {
    handOver();
    failure ??= error;
    ended = true;
    wake();
  };
  decoder.on("error", finish);
  decoder.on("end", () => finish());
  decoder.on("close", () => finish());
  const feeding = feed(decoder, next, done, () => ended).catch(finish);
  try {
    for (;;) {
      for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
        if (waiting.length < FEW_WAITING && decoder.isPaused()) decoder.resume();
        yield piece;
      }
      if (failure !== undefined) throw failure;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    ended = true;
    decoder.destroy();
    await feeding;
  }
}

/** Writes the pieces as fast as the decoder takes them. */
async function feed(
  decoder: Decoder,
  next: NextPiece,
  done: (piece: Uint8Array<ArrayBuffer>) => void,
  ended: () => boolean,
): Promise<void> {
  let goOn = () => {};
  // A decoder that ends, or is given up, drains no more.
  decoder.on("drain", () => goOn());
  decoder.on("close", () => goOn());
  while (!ended()) {
    const piece = await next();
    if (piece === undefined) {
      decoder.end();
      return;
    }
    if (decoder.write(piece, () => done(piece))) continue;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  }
}
