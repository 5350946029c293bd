/**
 * Sizes, times and numbers as they are written on a command line.
 *
 * @module
 */

import { UsageError } from "./usage.ts";

const SIZES: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};
const TIMES: Readonly<Record<string, number>> = {
  ms: 1,
  "": 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a size, `512m`, as bytes.
 *
 * @throws {UsageError} if it is none
 */
export function bytesOf(text: string, flag: string): number {
  const [, number, unit] = /^(\d+)([kmgt]?)$/i.exec(text) ?? [];
  if (number !== undefined) return Number(number) * SIZES[unit!.toLowerCase()]!;
  throw new UsageError(`--${flag}=${text} is no size; one is 1000000, 512k, 100m or 2g`);
}

/**
 * Reads a time, `10s`, as milliseconds; a number alone is seconds.
 *
 * @throws {UsageError} if it is none
 */
export function millisecondsOf(text: string, flag: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(text) ?? [];
  if (number !== undefined) return Math.ceil(Number(number) * TIMES[unit!]!);
  throw new UsageError(`--${flag}=${text} is no time; one is 10, 500ms, 30s, 5m, 2h or 1d`);
}

/**
 * Reads a whole number.
 *
 * @throws {UsageError} if it is none
 */
export function countOf(text: string, flag: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${flag}=${text} is no whole number`);
}
