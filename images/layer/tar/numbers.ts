/**
 * The numbers of a tar header: octal digits, or a binary number, which GNU tar calls base-256.
 *
 * @module
 */

import { ArchiveError } from "../errors.ts";

const [SPACE, ZERO, SEVEN] = [0x20, 0x30, 0x37];

/**
 * Reads a field.
 *
 * @param ended whether a space ends each field of the header, as libarchive writes them
 * @throws {ArchiveError} if it holds anything else than a number that is exact
 */
export function numberOf(field: Uint8Array, name: string, ended = false): number {
  return (field[0]! & 0x80) !== 0 ? binary(field, name, ended) : octal(field, name);
}

function octal(field: Uint8Array, name: string): number {
  let [at, value] = [0, 0];
  while (at < field.length && (field[at] === SPACE || field[at] === 0)) at++;
  for (; at < field.length && field[at] !== SPACE && field[at] !== 0; at++) {
    const digit = field[at]!;
    if (digit < ZERO || digit > SEVEN) throw wrong(field, name);
    value = value * 8 + digit - ZERO;
  }
  return exact(value, field, name);
}

/** Two's complement, the most significant byte first; the first bit says no more than that. */
function binary(field: Uint8Array, name: string, ended: boolean): number {
  // libarchive leaves the last byte of some fields to the space that ends them.
  const length = ended && field[field.length - 1] === SPACE ? field.length - 1 : field.length;
  const negative = (field[0]! & 0x40) !== 0;
  let value = negative ? (field[0]! | 0x80) - 0x100 : field[0]! & 0x7f;
  for (let at = 1; at < length; at++) value = value * 256 + field[at]!;
  return exact(value, field, name);
}

function exact(value: number, field: Uint8Array, name: string): number {
  if (!Number.isSafeInteger(value)) throw wrong(field, name);
  return value;
}

function wrong(field: Uint8Array, name: string): ArchiveError {
  const bytes = [...field].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new ArchiveError(`the ${name} is no number: ${bytes}`);
}
