/**
 * Structures of 64-bit words, as the kernel's newer calls take them.
 *
 * @module
 */

/** Writes unsigned numbers below 2^53 as little-endian 64-bit words. */
export function words(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  // Bytes that no view shares stay in V8's heap: a plan has some hundred of these.
  const bytes = new Uint8Array(values.length * 8);
  for (let index = 0; index < values.length; index++) {
    let rest = values[index]!;
    for (let at = index * 8; rest > 0; at++) {
      bytes[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
  return bytes;
}
