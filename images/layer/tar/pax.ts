/**
 * The records of an extended header: `LENGTH KEYWORD=VALUE\n`, where the value is bytes. See
 * "pax Interchange Format" in pax(1).
 *
 * @module
 */

import { decodeName } from "../../../ffi/file_name.ts";
import { ArchiveError } from "../errors.ts";
import type { Time } from "./entry.ts";

/** A record. Some keywords may be there more than once, and their order counts. */
export interface PaxRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

const [SPACE, EQUALS, NEWLINE, ZERO] = [0x20, 0x3d, 0x0a, 0x30];

/**
 * Reads the records of an extended header.
 *
 * @throws {ArchiveError} if one is broken
 */
export function paxRecords(bytes: Uint8Array): PaxRecord[] {
  const records: PaxRecord[] = [];
  // Some writers fill the block up with NULs, and count them.
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    let [length, digits] = [0, at];
    for (; digits < bytes.length && isDigit(bytes[digits]!); digits++) {
      length = length * 10 + bytes[digits]! - ZERO;
      if (length > bytes.length) throw broken();
    }
    const end = at + length;
    const equals = bytes.indexOf(EQUALS, digits);
    const whole = digits > at && bytes[digits] === SPACE && end <= bytes.length &&
      equals > digits + 1 && equals < end && bytes[end - 1] === NEWLINE;
    if (!whole) throw broken();
    const key = decodeName(bytes.subarray(digits + 1, equals));
    records.push({ key, value: bytes.slice(equals + 1, end - 1) });
    at = end;
  }
  return records;
}

/**
 * Reads a decimal number of a record that is not negative.
 *
 * @throws {ArchiveError} if it is none, or not exact
 */
export function paxNumber(value: Uint8Array, key: string): number {
  const text = decodeName(value);
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw noNumber(key, text);
  return number;
}

/**
 * Reads a time in seconds, which may have a fraction and be negative.
 *
 * @param libarchive whether libarchive has written it, which adds the fraction to seconds that are
 * rounded down: half a second before 1970 is -1.5
 * @throws {ArchiveError} if it is none
 */
export function paxTime(value: Uint8Array, key: string, libarchive = false): Time {
  const text = decodeName(value);
  const parts = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  const whole = Number(parts?.[2]);
  if (parts === null || !Number.isSafeInteger(whole)) throw noNumber(key, text);
  const digits = parts[3] ?? "";
  const nanoseconds = Number(digits.slice(0, 9).padEnd(9, "0"));
  if (parts[1] === "") return { seconds: whole, nanoseconds };
  if (nanoseconds === 0 || libarchive) return { seconds: 0 - whole, nanoseconds };
  return { seconds: -whole - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function noNumber(key: string, text: string): ArchiveError {
  return new ArchiveError(`${key} of an extended header is no number: ${JSON.stringify(text)}`);
}

function broken(): ArchiveError {
  return new ArchiveError("an extended header has a broken record");
}
