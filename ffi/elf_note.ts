/**
 * The note of a box: an entry of an ELF file that says what it is. See elf(5).
 *
 * @module
 */

/** The name of the note's owner, and its type. */
const NOTE = { owner: "Ramekin", type: 1 } as const;

const [HEADER_SIZE, SEGMENT_SIZE] = [64, 56];
const PT_NOTE = 4;

/** Returns a note: sizes of the owner and the text, the type, and both, padded to four bytes. */
export function noteBytes(text: string): Uint8Array {
  const encoder = new TextEncoder();
  const [owner, content] = [encoder.encode(`${NOTE.owner}\0`), encoder.encode(text)];
  const bytes = new Uint8Array(12 + align(owner.length) + align(content.length));
  const view = new DataView(bytes.buffer);
  [owner.length, content.length, NOTE.type]
    .forEach((value, index) => view.setUint32(4 * index, value, true));
  bytes.set(owner, 12);
  bytes.set(content, 12 + align(owner.length));
  return bytes;
}

/** Returns the text of the note in an executable; `undefined` if it has none of this owner. */
export function noteIn(file: Uint8Array): string | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < HEADER_SIZE || view.getUint32(0) !== 0x7f454c46) return undefined;
  const [table, count] = [Number(view.getBigUint64(32, true)), view.getUint16(56, true)];
  for (let index = 0; index < count; index++) {
    const segment = table + index * SEGMENT_SIZE;
    if (segment + SEGMENT_SIZE > file.length) return undefined;
    if (view.getUint32(segment, true) !== PT_NOTE) continue;
    const at = Number(view.getBigUint64(segment + 8, true));
    if (at + 12 > file.length) return undefined;
    const [owner, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    // A file can have thousands of notes, each with an owner of any length.
    if (owner !== NOTE.owner.length + 1) continue;
    const name = new TextDecoder().decode(file.subarray(at + 12, at + 12 + owner));
    if (name !== `${NOTE.owner}\0` || view.getUint32(at + 8, true) !== NOTE.type) continue;
    const start = at + 12 + align(owner);
    if (start + size <= file.length) {
      return new TextDecoder().decode(file.subarray(start, start + size));
    }
  }
  return undefined;
}

function align(value: number): number {
  return Math.ceil(value / 4) * 4;
}
