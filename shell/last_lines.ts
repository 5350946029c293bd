/**
 * The last lines of a stream.
 *
 * @module
 */

/** How many lines are kept, and how many bytes at most. */
const LINES = 20, BYTES = 8 * 1024;

/** Keeps the last lines of what it is given. */
export class LastLines {
  #bytes: Uint8Array = new Uint8Array();

  /** Takes more of the stream. */
  add(bytes: Uint8Array): void {
    const kept = new Uint8Array(Math.min(BYTES, this.#bytes.length + bytes.length));
    const part = bytes.subarray(-kept.length);
    const old = kept.length - part.length;
    if (old > 0) kept.set(this.#bytes.subarray(-old));
    kept.set(part, old);
    this.#bytes = kept;
  }

  /** Returns the last lines, without the end of the last one. */
  text(): string {
    if (this.#bytes.length === 0) return "";
    const lines = new TextDecoder().decode(this.#bytes).replace(/\n$/, "").split("\n");
    return lines.slice(-LINES).join("\n");
  }
}
