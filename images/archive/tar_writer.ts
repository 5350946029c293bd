/**
 * Writes archives of few files with plain names: those that hold images.
 *
 * @module
 */

const BLOCK = 512;
const encoder = new TextEncoder();

/** The largest size that eleven octal digits hold. */
const OCTAL_LIMIT = 8 ** 11;

/** The header of a file, with a longer name before it where it has one. */
export function tarHeader(name: string, size: number, type: "0" | "5" | "2" = "0"): Uint8Array {
  if (encoder.encode(name).length <= 100) return header(name, size, type);
  const record = paxRecord("path", name);
  return joined([
    header("path", record.length, "x"),
    padded(record),
    header(name.slice(0, 100), size, type),
  ]);
}

/** The end of an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

/** What follows a file of this size. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - size % BLOCK) % BLOCK);
}

function header(name: string, size: number, type: string): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const put = (text: string, at: number) => bytes.set(encoder.encode(text), at);
  put(name, 0);
  put(type === "5" ? "0000755\0" : "0000644\0", 100);
  put("0000000\x000000000\0", 108);
  bytes.set(sizeField(size), 124);
  put("00000000000\0        ", 136);
  put(type, 156);
  put("ustar\x0000", 257);
  const sum = bytes.reduce((sum, byte) => sum + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

/** The size in octal digits, or in base 256 where they are too few. */
function sizeField(size: number): Uint8Array {
  if (size < OCTAL_LIMIT) return encoder.encode(`${size.toString(8).padStart(11, "0")}\0`);
  const field = new Uint8Array(12);
  field[0] = 0x80;
  new DataView(field.buffer).setBigUint64(4, BigInt(size));
  return field;
}

/** A record of PAX, whose length counts itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = encoder.encode(` ${key}=${value}\n`);
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return joined([encoder.encode(String(length)), rest]);
}

function padded(bytes: Uint8Array): Uint8Array {
  return joined([bytes, tarPadding(bytes.length)]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
