/**
 * A device of this machine that no container has by default.
 *
 * @module
 */

const USUAL = new Set(["null", "zero", "full", "random", "urandom", "tty", "ptmx"]);

/** Its path; `undefined` in a container that has no other either. */
export const otherDevice: string | undefined = [...Deno.readDirSync("/dev")]
  .filter(({ name }) => !USUAL.has(name))
  .map(({ name }) => `/dev/${name}`)
  .find((path) => Deno.lstatSync(path).isCharDevice);

/** Why a test that needs one is skipped. */
export const noOtherDevice: string | undefined = otherDevice === undefined
  ? "needs a device that is not harmless"
  : undefined;
