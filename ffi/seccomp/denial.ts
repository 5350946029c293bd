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

/** An argument of a call, as far as it is known. */
export interface KnownArgument {
  readonly value: number;
  /** The bits that the kernel reads; a program may pass any others beside them. */
  readonly bits: bigint;
}

/** An argument of 32 bits. */
export function int(value: number): KnownArgument {
  return { value, bits: 0xffff_ffffn };
}

/** Whether the filter denies the call, with all arguments, or with all that begin with these. */
export function denies(rules: RuleIndex, name: string, ...args: readonly KnownArgument[]): boolean {
  for (const { action, conditions = [] } of rules.for(name)) {
    const hold = conditions.map((condition) => holds(condition, args[condition.index]));
    if (hold.includes(false)) continue;
    if (!isDenial(action)) return false;
    if (!hold.includes(undefined)) return true;
  }
  return false;
}

/** Whether a condition always or never holds; `undefined` if that depends on other bits. */
function holds(
  { comparison, value, mask = ALL_BITS }: Condition,
  known: KnownArgument | undefined,
): boolean | undefined {
  if (known === undefined) return undefined;
  if (comparison !== "equal" && comparison !== "unequal") return undefined;
  const differs = (BigInt(known.value) & mask & known.bits) !== (value & known.bits);
  if (differs) return comparison === "unequal";
  return (mask & ~known.bits) === 0n ? comparison === "equal" : undefined;
}

const ALL_BITS = 0xffff_ffff_ffff_ffffn;
