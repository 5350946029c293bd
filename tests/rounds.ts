/**
 * The numbers of repetitions and the timeouts of tests on emulated machines, which are much slower.
 *
 * @module
 */

/** Whether the machine is one of `deno task test:vm`. */
export const emulated: boolean = Deno.env.has("EMULATED");

/** Returns a number of repetitions, which is smaller there. */
export function rounds(count: number): number {
  return emulated ? Math.ceil(count / 20) : count;
}

/** Returns a timeout in milliseconds, which is longer there. */
export function patience(milliseconds: number): number {
  return emulated ? milliseconds * 20 : milliseconds;
}
