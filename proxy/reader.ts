/**
 * Bytes of a stream in portions that a protocol has, with bounds on all of them.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";
import { Refusal } from "./refusal.ts";
import type { Stream } from "./stream.ts";

/** Reads portions. */
export class Reader {
  readonly #stream: Stream;
  #buffer: Uint8Array = new Uint8Array();

  /** Reads from this stream. */
  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** The first byte, which stays to be read; `undefined` at the end. */
  async peek(): Promise<number | undefined> {
    return await this.#more(1) ? this.#buffer[0] : undefined;
  }

  /** So many bytes. */
  async exactly(count: number): Promise<Uint8Array> {
    if (!await this.#more(count)) throw new Refusal(400, "the request ends too early");
    return this.#take(count);
  }

  /** Everything up to an ending, with it, if that is within so many bytes. */
  async upTo(ending: string, limit: number): Promise<string> {
    const decoder = new TextDecoder("latin1");
    for (let searched = 0;;) {
      // What has been searched is not searched again, however slowly the rest comes.
      const from = Math.max(0, searched - ending.length);
      const at = decoder.decode(this.#buffer.subarray(from, limit)).indexOf(ending);
      if (at >= 0) return decoder.decode(this.#take(from + at + ending.length));
      if (this.#buffer.length >= limit) throw new Refusal(431, "the request's head is too long");
      searched = this.#buffer.length;
      if (!await this.#more(searched + 1)) throw new Refusal(400, "the request ends too early");
    }
  }

  /** What comes next, at most so many bytes; empty at the end. */
  async some(limit = Infinity): Promise<Uint8Array> {
    if (this.#buffer.length === 0) this.#buffer = await this.#stream.read();
    return this.#take(Math.min(limit, this.#buffer.length));
  }

  #take(count: number): Uint8Array {
    const part = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return part;
  }

  /** Reads until there are so many bytes; whether there are. */
  async #more(count: number): Promise<boolean> {
    while (this.#buffer.length < count) {
      const part = await this.#stream.read();
      if (part.length === 0) return false;
      this.#buffer = concat([this.#buffer, part]);
    }
    return true;
  }
}
