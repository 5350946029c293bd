/**
 * A rest of the calling thread.
 *
 * @module
 */

/** Blocks the thread for some milliseconds, where the script's thread blocks anyway. */
export function rest(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
