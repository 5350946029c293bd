/**
 * The read-only data of a box while it is written.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";

/** Data at known addresses. */
export class Contents {
  readonly #address: number;
  readonly #parts: Uint8Array[] = [];
  #end = 0;

  /** @param address where the data begins */
  constructor(address: number) {
    this.#address = address;
  }

  /** All of it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return concat(this.#parts);
  }

  /** Adds bytes, and returns their address. */
  add(bytes: Uint8Array): number {
    const at = Math.ceil(this.#end / 4) * 4;
    this.#parts.push(new Uint8Array(at - this.#end), bytes);
    this.#end = at + bytes.length;
    return this.#address + at;
  }

  /** Adds strings, each with a NUL behind it, and one more behind the last. */
  strings(strings: readonly string[]): number {
    return this.add(new TextEncoder().encode([...strings, "", ""].join("\0")));
  }

  /** Adds numbers, and 0 behind the last. */
  numbers(numbers: readonly number[]): number {
    return this.add(new Uint8Array(Uint32Array.of(...numbers, 0).buffer));
  }
}
