/**
 * Files and other objects that may be absent.
 *
 * @module
 */

import type { ErrnoName } from "./errno.ts";
import { SyscallError } from "./errors.ts";

/** The errnos of a path that leads nowhere. */
export const NO_SUCH_PATH: readonly ErrnoName[] = ["ENOENT", "ENOTDIR"];

/**
 * Returns the result of `ask`, or `undefined` if it fails with an errno that means absence here. Any
 * other error is thrown: a process without free descriptors or memory does not know what is absent.
 */
export function ifThere<T>(
  ask: () => T,
  absence: readonly ErrnoName[] = NO_SUCH_PATH,
): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof SyscallError && absence.some((name) => name === error.code)) {
      return undefined;
    }
    throw error;
  }
}
