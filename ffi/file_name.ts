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

/** Returns bytes as a string. */
export function decodeName(bytes: Uint8Array): string {
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
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const size = sizeOf(bytes[at]!);
    const letter = decodeStrictly(bytes.subarray(at, at + size));
    text += letter ?? String.fromCharCode(ESCAPE + bytes[at]!);
    at += letter === undefined ? 1 : size;
  }
  return text;
}

/** How many bytes a letter has that begins with this one. */
function sizeOf(first: number): number {
  if (first < 0xc0) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

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
