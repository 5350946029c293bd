/**
 * The fix for a launch that its own memory limit has ended.
 *
 * @module
 */

import type { ErrnoName } from "../ffi/errno.ts";
import type { PlanBuilder } from "../plan/builder.ts";

/** Adds to the fix that the memory limit of the container may be too low. */
export function orMemoryLimit(
  fix: string | undefined,
  code: ErrnoName | undefined,
  plan: PlanBuilder,
): string | undefined {
  if (plan.limits?.limits.memory === undefined || !SHORT_OF_MEMORY.has(code)) return fix;
  const little = "limits() may allow too little memory for the launch itself: 1 MiB is enough";
  return fix === undefined ? little : `${little}; or ${fix}`;
}

/** The errors of calls in a control group whose memory is used up. */
const SHORT_OF_MEMORY: ReadonlySet<ErrnoName | undefined> = new Set([
  "E2BIG",
  "ENFILE",
  "ENOMEM",
  "ENOSPC",
]);
