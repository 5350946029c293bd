/**
 * What to do about a call that fails, said where the call is made.
 *
 * @module
 */

import type { ErrnoName } from "./errno.ts";
import { SyscallError } from "./errors.ts";

/**
 * What an errno means at one call, and what to do about it. A function looks at the machine first;
 * it runs only once the call has failed.
 */
export type Fix = string | (() => string | undefined);

/** The fixes of a call, by errno. */
export type Fixes = Readonly<Partial<Record<ErrnoName, Fix | undefined>>>;

/** The same, made once the call has failed: most calls never do. */
export type LazyFixes = Fixes | (() => Fixes);

/** The fix for an errno, where there is one. */
export function fixFor(
  fixes: LazyFixes | undefined,
  code: ErrnoName | undefined,
): string | undefined {
  const fix = code && allOf(fixes)?.[code];
  return typeof fix === "function" ? fix() : fix;
}

/** The fixes, made now. */
export function allOf(fixes: LazyFixes | undefined): Fixes | undefined {
  return typeof fixes === "function" ? fixes() : fixes;
}

/**
 * Does something that makes calls; an error of theirs that says no fix gets one of these.
 *
 * @throws {SyscallError} as what it does throws it
 */
export function withFixes<T>(fixes: Fixes, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof SyscallError) || error.hint !== undefined) throw error;
    const hint = error.code === "UNKNOWN" ? undefined : fixFor(fixes, error.code);
    if (hint === undefined) throw error;
    const { syscall, errno, call, step, stepIndex } = error;
    throw new SyscallError({ syscall, errno, call, step, stepIndex, hint });
  }
}
