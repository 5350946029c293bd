/**
 * Packs bytes for the code of a box to unpack, much as LZ4 does: sequences of bytes as they are, and of
 * a copy of earlier ones. A distance below 128 takes one byte, as most have, and one below 32,768 two:
 * the lower seven bits, with the eighth set, come first. The number of bytes is written before them.
 *
 * @module
 */

/** The shortest copy. */
const SHORTEST = 3;
/** The farthest distance of a copy, and of one that takes one byte. */
const [FARTHEST, NEAR] = [0x7fff, 0x7f];
/** How many earlier places are tried. */
const TRIES = 64;

/** Packs bytes. */
export function pack(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const packed = [bytes.length, bytes.length >> 8, bytes.length >> 16, bytes.length >>> 24];
  const places = new Map<number, number[]>();
  let [literals, at] = [0, 0];
  while (at + SHORTEST <= bytes.length) {
    const found = copyFor(bytes, at, places);
    note(places, bytes, at);
    const later = found === undefined ? undefined : copyFor(bytes, at + 1, places);
    // A better copy that begins one byte later is worth the byte.
    if (found === undefined || later !== undefined && gainOf(later) > gainOf(found) + 1) {
      at++;
      continue;
    }
    writeSequence(packed, bytes.subarray(literals, at), found);
    const end = at + found.length;
    for (at++; at < end; at++) note(places, bytes, at);
    literals = at;
  }
  if (literals < bytes.length) writeSequence(packed, bytes.subarray(literals));
  return Uint8Array.from(packed);
}

interface Copy {
  readonly distance: number;
  readonly length: number;
}

/** How many bytes a copy saves, beside the one that every sequence begins with. */
function gainOf({ distance, length }: Copy): number {
  return length - (distance <= NEAR ? 1 : 2);
}

function copyFor(
  bytes: Uint8Array,
  at: number,
  places: ReadonlyMap<number, readonly number[]>,
): Copy | undefined {
  if (at + SHORTEST > bytes.length) return undefined;
  const known = places.get(wordAt(bytes, at));
  return known === undefined ? undefined : best(bytes, at, known);
}

function best(bytes: Uint8Array, at: number, places: readonly number[]): Copy | undefined {
  let best: Copy = { distance: 0, length: 2 };
  for (let index = places.length - 1; index >= Math.max(0, places.length - TRIES); index--) {
    const from = places[index]!;
    if (at - from > FARTHEST) break;
    let length = 0;
    while (at + length < bytes.length && bytes[from + length] === bytes[at + length]) length++;
    const copy = { distance: at - from, length };
    if (gainOf(copy) > gainOf(best)) best = copy;
  }
  return best.distance === 0 ? undefined : best;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
}

function note(places: Map<number, number[]>, bytes: Uint8Array, at: number): void {
  if (at + SHORTEST > bytes.length) return;
  const word = wordAt(bytes, at);
  const known = places.get(word);
  if (known === undefined) places.set(word, [at]);
  else known.push(at);
}

function writeSequence(packed: number[], literals: Uint8Array, copy?: Copy): void {
  const more = copy === undefined ? 0 : copy.length - SHORTEST;
  packed.push(Math.min(literals.length, 15) << 4 | Math.min(more, 15));
  writeLength(packed, literals.length);
  for (const byte of literals) packed.push(byte);
  if (copy === undefined) return;
  const { distance } = copy;
  if (distance <= NEAR) packed.push(distance);
  else packed.push(distance & NEAR | 0x80, distance >> 7);
  writeLength(packed, more);
}

function writeLength(packed: number[], length: number): void {
  if (length < 15) return;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) packed.push(255);
  packed.push(rest);
}
