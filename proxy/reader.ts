/**
 * Bytes of a stream in portions that a protocol has, with bounds on all of them.
 *
 * @module
 */

import { decodeLatin1 } from "./latin1.ts";
import { concat } from "../ffi/concat.ts";
import { Refusal } from "./refusal.ts";
import type { Stream } from "./stream.ts";

/** Reads parts of a stream. */
export class Reader {
  readonly #stream: Stream;
  #buffer: Uint8Array = new Uint8Array();

  /** Reads from this stream. */
  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Returns the next byte without consuming it, `undefined` at the end. */
  async peek(): Promise<number | undefined> {
    return await this.#more(1) ? this.#buffer[0] : undefined;
  }

  /** Returns exactly this number of bytes. */
  async exactly(count: number): Promise<Uint8Array> {
    if (!await this.#more(count)) throw new Refusal(400, "the request ends too early");
    return this.#take(count);
  }

  /** Returns everything up to an ending, with the ending, which must come within `limit` bytes. */
  async upTo(ending: string, limit: number): Promise<string> {
    for (let searched = 0;;) {
      // Bytes that were searched are not searched again, however slowly the rest arrives.
      const from = Math.max(0, searched - ending.length);
      const at = decodeLatin1(this.#buffer.subarray(from, limit)).indexOf(ending);
      if (at >= 0) return decodeLatin1(this.#take(from + at + ending.length));
      if (this.#buffer.length >= limit) throw new Refusal(431, "the request's head is too long");
      searched = this.#buffer.length;
      if (!await this.#more(searched + 1)) throw new Refusal(400, "the request ends too early");
    }
  }

  /** Returns the next bytes, at most `limit`; none at the end. */
  async some(limit = Infinity): Promise<Uint8Array> {
    if (this.#buffer.length === 0) this.#buffer = await this.#stream.read();
    return this.#take(Math.min(limit, this.#buffer.length));
  }

  #take(count: number): Uint8Array {
    const part = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return part;
  }

  /** Reads until there are this many bytes, and reports whether there are. */
  async #more(count: number): Promise<boolean> {
    while (this.#buffer.length < count) {
      const part = await this.#stream.read();
      if (part.length === 0) return false;
      this.#buffer = concat([this.#buffer, part]);
    }
    return true;
  }
}
