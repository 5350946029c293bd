/**
 * What may be there or not.
 *
 * @module
 */

import { SyscallError } from "./errors.ts";

/** The answer, or nothing where what is asked for is not there, or may not be seen. */
export function ifThere<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
