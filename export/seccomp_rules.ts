/**
 * Rules of seccomp of which no two are about the same call with the same arguments. Of several rules
 * Ramekin takes the first that matches; libseccomp, by which runtimes make filters, takes a rule
 * without conditions in the place of all others for its call.
 *
 * @module
 */

import type { SeccompArgument, SeccompRule } from "../recipe/seccomp_profile.ts";

/** Bits of an argument that have to have a value. */
interface Bits {
  readonly mask: bigint;
  readonly value: bigint;
}

/** The arguments that a rule matches, by their indexes. */
type Match = ReadonlyMap<number, Bits>;

/** The most rules that one call is taken apart into. */
const MOST = 500;

const ALL_BITS = 0xffff_ffff_ffff_ffffn;

/** Returns rules that mean the same in any order, or why there are none. */
export function apartRules(rules: readonly SeccompRule[]): readonly SeccompRule[] | string {
  const byName = new Map<string, SeccompRule[]>();
  for (const rule of rules) {
    for (const name of rule.names) byName.set(name, [...byName.get(name) ?? [], rule]);
  }
  const result: { rule: SeccompRule; names: string[] }[] = [];
  for (const [name, own] of byName) {
    const apart = own.length === 1 ? [own[0]!] : takeApart(own);
    if (typeof apart === "string") return `the rules for ${name} ${apart}`;
    for (const rule of apart) {
      const { names: _, ...body } = rule;
      const key = JSON.stringify(body);
      const same = result.find((other) => JSON.stringify(bodyOf(other.rule)) === key);
      if (same === undefined) result.push({ rule, names: [name] });
      else same.names.push(name);
    }
  }
  return result.map(({ rule, names }) => ({ ...rule, names }));
}

function bodyOf({ names: _, ...body }: SeccompRule): Omit<SeccompRule, "names"> {
  return body;
}

/** Takes from each rule what an earlier one matches. */
function takeApart(rules: readonly SeccompRule[]): SeccompRule[] | string {
  const earlier: Match[] = [];
  const apart: SeccompRule[] = [];
  for (const rule of rules) {
    const match = matchOf(rule.args ?? []);
    if (match === undefined) return "compare in a way that depends on their order";
    let left: Match[] = [match];
    for (const other of earlier) left = left.flatMap((one) => without(one, other));
    for (const one of left) apart.push({ ...rule, args: argumentsOf(one) });
    if (apart.length > MOST) return "are too many once each stands for itself";
    earlier.push(match);
  }
  return apart;
}

/** What conditions match that all have to hold; `undefined` if they are others. */
function matchOf(args: readonly SeccompArgument[]): Match | undefined {
  const match = new Map<number, Bits>();
  for (const { index, value, valueTwo = 0, op } of args) {
    // Two conditions on an argument are alternatives.
    if (match.has(index)) return undefined;
    if (op === "SCMP_CMP_EQ") match.set(index, { mask: ALL_BITS, value: BigInt(value) });
    else if (op === "SCMP_CMP_MASKED_EQ") {
      const mask = BigInt(value);
      match.set(index, { mask, value: BigInt(valueTwo) & mask });
    } else return undefined;
  }
  return match;
}

/** What is in `one` and not in `other`, as matches of which no two have a value in common. */
function without(one: Match, other: Match): Match[] {
  const pieces: Match[] = [];
  let rest = new Map(one);
  for (const [index, { mask, value }] of other) {
    for (let bit = 1n; bit <= mask; bit <<= 1n) {
      if ((mask & bit) === 0n) continue;
      const known = rest.get(index) ?? { mask: 0n, value: 0n };
      if ((known.mask & bit) !== 0n) {
        // They differ in this bit, so nothing has to be taken away.
        if ((known.value & bit) !== (value & bit)) return [one];
        continue;
      }
      const set = (bits: bigint): Bits => ({
        mask: known.mask | bit,
        value: known.value | bits,
      });
      pieces.push(new Map(rest).set(index, set(~value & bit)));
      rest = new Map(rest).set(index, set(value & bit));
    }
  }
  return pieces;
}

function argumentsOf(match: Match): readonly SeccompArgument[] {
  return Array.from(
    match,
    ([index, { mask, value }]) =>
      mask === ALL_BITS
        ? { index, value: number(value), op: "SCMP_CMP_EQ" }
        : { index, value: number(mask), valueTwo: number(value), op: "SCMP_CMP_MASKED_EQ" },
  );
}

function number(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : `0x${value.toString(16)}`;
}
