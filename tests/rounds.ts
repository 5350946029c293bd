/**
 * How much tests do, and how long they wait, where the machine is emulated, which is many times slower.
 *
 * @module
 */

/** Whether the machine is one of `deno task test:vm`. */
export const emulated: boolean = Deno.env.has("EMULATED");

/** How often a test does what it does very often: fewer times there. */
export function rounds(count: number): number {
  return emulated ? Math.ceil(count / 20) : count;
}

/** How long a test waits, in milliseconds, before it gives up: longer there. */
export function patience(milliseconds: number): number {
  return emulated ? milliseconds * 20 : milliseconds;
}
