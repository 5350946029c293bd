/**
 * A signal as it is written on a command line.
 *
 * @module
 */

import { SIGNALS } from "../../mod.ts";
import { nearest } from "../../recipe/nearest.ts";
import { UsageError } from "./usage.ts";

/**
 * Reads a signal: by its name, with SIG before it or without, or by its number.
 *
 * @throws {UsageError} if there is no such signal
 */
export function signalOf(word: string): Deno.Signal | number {
  const name = word.startsWith("SIG") ? word : `SIG${word}`;
  if (Object.hasOwn(SIGNALS, name)) return name as Deno.Signal;
  const number = Number(word);
  if (/^\d+$/.test(word) && number <= LAST_SIGNAL) return number;
  const near = nearest(name, Object.keys(SIGNALS));
  const meant = near === undefined ? "one is TERM, SIGUSR1 or 9" : `did you mean ${near}?`;
  throw new UsageError(`--signal=${word} is no signal; ${meant}`);
}

/** The last signal of Linux: SIGRTMAX of signal(7). */
const LAST_SIGNAL = 64;
