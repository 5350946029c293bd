/**
 * Timers of any length.
 *
 * @module
 */

/** The longest of setTimeout(), in milliseconds: a longer one ends at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * Calls a function after a time, in milliseconds; returns a function that stops the timer. It does
 * not keep the event loop alive.
 */
export function after(time: number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const start = (rest: number) => {
    timer = setTimeout(
      () => rest > LONGEST ? start(rest - LONGEST) : call(),
      Math.min(rest, LONGEST),
    );
    Deno.unrefTimer(timer);
  };
  start(time);
  return () => clearTimeout(timer);
}
