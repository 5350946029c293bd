/**
 * Whether a filter denies a call, whatever a program passes to it.
 *
 * @module
 */

import { type Condition, type RuleIndex, SECCOMP_RET } from "./filter.ts";

/** The actions after which the call is made; a tracer may let it pass. */
const PASSING: ReadonlySet<number> = new Set([
  SECCOMP_RET.ALLOW,
  SECCOMP_RET.LOG,
  SECCOMP_RET.TRACE,
]);

/** The part of a returned value that is the action; the rest is data. */
const ACTION_BITS = 0xffff_0000;

/** Whether a value that a filter returns denies the call. */
export function isDenial(value: number): boolean {
  return !PASSING.has((value & ACTION_BITS) >>> 0);
}

/**
 * Whether the filter denies the call, with all arguments, or with all that begin with `first`.
 *
 * @param first the first argument, of which the kernel reads the lower 32 bits only; a program may
 * pass any others above them
 */
export function denies(rules: RuleIndex, name: string, first?: number): boolean {
  for (const { action, conditions = [] } of rules.for(name)) {
    const hold = conditions.map((condition) => holds(condition, first));
    if (hold.includes(false)) continue;
    if (!isDenial(action)) return false;
    if (!hold.includes(undefined)) return true;
  }
  return false;
}

/** Whether a condition always or never holds; `undefined` if that depends on other bits. */
function holds(
  { index, comparison, value, mask = ALL_BITS }: Condition,
  first: number | undefined,
): boolean | undefined {
  if (index !== 0 || first === undefined) return undefined;
  if (comparison !== "equal" && comparison !== "unequal") return undefined;
  const differs = (BigInt(first) & mask & LOWER_BITS) !== (value & LOWER_BITS);
  if (differs) return comparison === "unequal";
  return (mask & ~LOWER_BITS) === 0n ? comparison === "equal" : undefined;
}

const ALL_BITS = 0xffff_ffff_ffff_ffffn;
const LOWER_BITS = 0xffff_ffffn;
