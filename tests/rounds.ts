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

/**
 * Runs something with more and more time, in milliseconds, until a busy machine has got as far as the
 * test wants it, or that takes too long. Returns the last result.
 */
export async function withTime<T>(
  first: number,
  run: (time: number) => T | Promise<T>,
  fits: (result: T) => boolean,
): Promise<T> {
  for (let time = patience(first);; time *= 4) {
    const result = await run(time);
    if (fits(result) || time > patience(20_000)) return result;
  }
}

/** Returns a timeout in milliseconds, which is longer there. */
export function patience(milliseconds: number): number {
  return emulated ? milliseconds * 20 : milliseconds;
}
