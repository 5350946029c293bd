/**
 * A decoder or encoder of node:zlib as a generator. Deno (2.9) decodes on the thread of the script, so
 * that its work and that of its caller take turns; a few decoded pieces wait for the caller.
 *
 * @module
 */

import type { Buffer } from "node:buffer";

/** What the streams of node:zlib have in common, as far as it is used. */
export interface Decoder {
  write(piece: Uint8Array): boolean;
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
export type NextPiece = () => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** How many decoded pieces may wait. */
const [MOST_WAITING, FEW_WAITING] = [8, 4];

/**
 * Decodes pieces until they or the stream ends, whichever is first.
 *
 * @throws {Error} the decoder's
 */
export async function* decoded(
  decoder: Decoder,
  next: NextPiece,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const waiting: Uint8Array<ArrayBuffer>[] = [];
  let [ended, failure]: [boolean, Error | undefined] = [false, undefined];
  let wake = () => {};
  decoder.on("data", (piece) => {
    waiting.push(piece as Uint8Array<ArrayBuffer>);
    if (waiting.length > MOST_WAITING) decoder.pause();
    wake();
  });
  const finish = (error?: Error) => {
    failure ??= error;
    ended = true;
    wake();
  };
  decoder.on("error", finish);
  decoder.on("end", () => finish());
  decoder.on("close", () => finish());
  const feeding = feed(decoder, next, () => ended).catch(finish);
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
    if (decoder.write(piece)) continue;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  }
}
