/**
 * The body of a request, passed on up to its end and no further: bytes after it are dropped.
 *
 * @module
 */

import type { Reader } from "./reader.ts";
import { Refusal } from "./refusal.ts";
import type { Body } from "./request.ts";
import type { Stream } from "./stream.ts";

/** The longest line of a chunk that is accepted. */
const LINE_LIMIT = 64;

/**
 * Passes a body on to the host.
 *
 * @throws {Refusal} for a body that does not follow the standard
 */
export async function passBody(body: Body, from: Reader, to: Stream): Promise<void> {
  if (body !== "chunked") return await passBytes(body.length, from, to);
  for (;;) {
    const line = await from.upTo("\r\n", LINE_LIMIT);
    // Extensions of chunks are unused, and implementations disagree on how to read them.
    if (!/^[0-9A-Fa-f]{1,8}\r\n$/.test(line)) throw new Refusal(400, "a chunk has no length");
    const length = parseInt(line, 16);
    await to.write(new TextEncoder().encode(`${length.toString(16)}\r\n`));
    await passBytes(length, from, to);
    // Trailers could follow the last chunk; they are not passed on.
    if (await from.upTo("\r\n", LINE_LIMIT) !== "\r\n") {
      throw new Refusal(400, "a chunk is longer than it says");
    }
    await to.write(new TextEncoder().encode("\r\n"));
    if (length === 0) return;
  }
}

async function passBytes(count: number, from: Reader, to: Stream): Promise<void> {
  for (let left = count; left > 0;) {
    const part = await from.some(left);
    if (part.length === 0) throw new Refusal(400, "the body ends too early");
    await to.write(part);
    left -= part.length;
  }
}
