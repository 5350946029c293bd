/**
 * Lines of a stream.
 *
 * @module
 */

import type { Sinks } from "./sink.ts";

/** Yields the lines of a stream without their ends, and writes the stream to others as well. */
export async function* linesOf(
  stream: AsyncIterable<Uint8Array>,
  tee: Sinks,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  // The parts of a line that has not ended: one without an end would be copied again and again.
  let parts: string[] = [];
  for await (const bytes of stream) {
    await tee.write(bytes);
    const pieces = decoder.decode(bytes, { stream: true }).split("\n");
    for (const piece of pieces.slice(0, -1)) {
      parts.push(piece);
      yield parts.join("").replace(/\r$/, "");
      parts = [];
    }
    parts.push(pieces.at(-1)!);
  }
  const rest = parts.join("") + decoder.decode();
  if (rest !== "") yield rest;
}
