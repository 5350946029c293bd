/**
 * Times as the kernel takes them. See timespec(3type).
 *
 * @module
 */

/** A time as struct timespec has it. */
export interface Timespec {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Splits milliseconds. Rounded up, the rest could be a whole second, which the kernel refuses. */
export function timespecOf(milliseconds: number): Timespec {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: Math.floor((milliseconds - seconds * 1000) * 1e6) };
}
