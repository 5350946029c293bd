/**
 * The numbers of signals, by the names of `Deno.Signal`.
 *
 * @module
 */

import { SIGNALS } from "../ffi/calls/constants/signals.ts";

/** All names of signals on Linux, with the synonyms of signal(7). */
const NUMBERS: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(SIGNALS),
  ["SIGPOLL", SIGNALS.SIGIO],
  ["SIGUNUSED", SIGNALS.SIGSYS],
]);

/** Returns the number of a signal; `undefined` for the name of none. */
export function signalNumber(name: string): number | undefined {
  return NUMBERS.get(name);
}
