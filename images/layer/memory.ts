/**
 * The memory of pieces of a stream, given back as soon as they are done with. The collector sees their
 * objects, which are small, and leaves tens of megabytes lying about before it takes any.
 *
 * @module
 */

/** Whether the bytes are all of their buffer, of which nobody else has a part then. */
export function areWhole(bytes: Uint8Array<ArrayBuffer>): boolean {
  return bytes.length === bytes.buffer.byteLength;
}

/** Frees the memory of bytes that nobody looks at any more, if they are all of their buffer. */
export function free(bytes: Uint8Array<ArrayBuffer>): void {
  if (areWhole(bytes)) bytes.buffer.transfer(0);
}

/** The parts; the memory of each is given back once the next one is asked for. */
export async function* freed(
  parts: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const part of parts) {
    yield part;
    free(part);
  }
}
