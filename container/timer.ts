/**
 * Timers of any length.
 *
 * @module
 */

/** The longest of setTimeout(), in milliseconds: a longer one ends at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Calls a function after a time, in milliseconds; returns a function that stops the timer. It does
 * not keep the event loop alive.
 */
export function after(time: number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const start = (rest: number) => {
    timer = setTimeout(
      () => rest > LONGEST_TIMER ? start(rest - LONGEST_TIMER) : call(),
      Math.min(rest, LONGEST_TIMER),
    );
    Deno.unrefTimer(timer);
  };
  start(time);
  return () => clearTimeout(timer);
}
