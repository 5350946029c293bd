/**
 * Names of files as strings. A name is bytes, and need not be UTF-8: each byte that is not becomes a
 * lone surrogate, U+DC80 to U+DCFF, and that the byte again (as in Python, PEP 383). So nothing is
 * lost, and no name can be made that is not looked at.
 *
 * @module
 */

const encoder = new TextEncoder();
/** A name may begin with what would be a byte order mark in a text. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The surrogate of the byte 0, if that were one. */
const ESCAPE = 0xdc00;

/** Up to so many bytes, a name is read letter by letter. */
const SHORT = 256;

/** Returns bytes as a string. */
export function decodeName(bytes: Uint8Array): string {
  if (bytes.length > SHORT) return decodeLong(bytes);
  let text = "";
  for (const byte of bytes) {
    if (byte >= 0x80) return decodeLong(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Returns many names in one text, as {@linkcode decodeName}: it is faster for long ones. */
export function decodeNames(bytes: Uint8Array): string {
  return decodeLong(bytes);
}

function decodeLong(bytes: Uint8Array): string {
  const whole = decodeStrictly(bytes);
  if (whole !== undefined) return whole;
  // Whoever has made the name may have made it of nothing but such bytes: none of them takes an error.
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const begin = at;
    for (let size; (size = sizeOfLetter(bytes, at)) > 0;) at += size;
    if (at > begin) parts.push(decoder.decode(bytes.subarray(begin, at)));
    const others: number[] = [];
    while (at < bytes.length && others.length < SHORT && sizeOfLetter(bytes, at) === 0) {
      others.push(ESCAPE + bytes[at++]!);
    }
    parts.push(String.fromCharCode(...others));
  }
  return parts.join("");
}

/** How many bytes the letter has that begins here; 0 where none does (RFC 3629, 4), and at the end. */
function sizeOfLetter(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) return 0;
  const first = bytes[at]!, second = bytes[at + 1] ?? 0;
  if (first < 0x80) return 1;
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return 0;
  const [least, most] = SECOND.get(first) ?? [0x80, 0xbf];
  if (second < least || second > most) return 0;
  for (let next = at + 2; next < at + size; next++) if ((bytes[next]! & 0xc0) !== 0x80) return 0;
  return size;
}

/** What comes second in letters of which not all can be. */
const SECOND: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Writes a string as bytes, as many as have room; returns what was read of it, and written. */
export function encodeName(text: string, into: Uint8Array): TextEncoderEncodeIntoResult {
  if (text.isWellFormed()) return encoder.encodeInto(text, into);
  let [read, written] = [0, 0];
  for (const letter of text) {
    const code = letter.codePointAt(0)!;
    if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) {
      if (written === into.length) break;
      into[written++] = code - ESCAPE;
    } else {
      const done = encoder.encodeInto(letter, into.subarray(written));
      if (done.read === 0) break;
      written += done.written;
    }
    read += letter.length;
  }
  return { read, written };
}
