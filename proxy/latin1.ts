/**
 * Bytes as text, one letter each, as HTTP/1.1 has them (RFC 9110, 5.5). Of TextDecoder "latin1" is
 * windows-1252, which has other letters for some bytes.
 *
 * @module
 */

/** Returns the bytes as text. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Returns the bytes of such a text. */
export function encodeLatin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
