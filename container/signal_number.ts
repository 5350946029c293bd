/**
 * Signals, as `kill()` takes them.
 *
 * @module
 */

import { SIGNALS, SIGRTMAX } from "../ffi/calls/constants/signals.ts";
import { escapeControls } from "../ffi/control_characters.ts";
import { suggestion } from "../recipe/nearest.ts";
import { shown } from "../recipe/shown.ts";

/** The signals by name; the last two are other names that Deno knows too (signal(7)). */
const BY_NAME: Readonly<Record<string, number>> = {
  ...SIGNALS,
  SIGPOLL: SIGNALS.SIGIO,
  SIGUNUSED: SIGNALS.SIGSYS,
};

/**
 * Returns the number of a signal, which is given by its name or is a number; 0 is no signal.
 *
 * @throws {TypeError} if Linux does not have it
 */
export function signalNumber(signal: Deno.Signal | number): number {
  if (typeof signal === "number" && Number.isInteger(signal)) {
    if (signal >= 0 && signal <= SIGRTMAX) return signal;
  } else if (Object.hasOwn(BY_NAME, signal)) {
    return BY_NAME[signal]!;
  }
  const name = typeof signal === "string" ? signal : shown(signal);
  const meant = suggestion(name, Object.keys(BY_NAME));
  throw new TypeError(escapeControls(`Linux has no signal ${name}${meant}`));
}
