/**
 * A compiler of rules about system calls to a filter for seccomp(2).
 *
 * The filter checks the architecture first, as numbers mean other calls on other architectures, then
 * finds the call's number by binary search, then compares arguments if a rule has conditions.
 *
 * @module
 */

import { SECCOMP_RET } from "./returns.ts";
import { Label } from "../engine/program.ts";
import type { Architecture } from "../syscall_numbers.ts";
import { allSyscalls } from "./all_syscalls.ts";
import { assembleFilter, type Instruction, INSTRUCTION_SIZE, MOST_INSTRUCTIONS } from "./bpf.ts";

export { SECCOMP_RET };

/** The rules about calls. Of several rules for a call, the first one whose conditions hold applies. */
export interface SyscallFilter {
  /** The return value for known calls without a rule. */
  readonly otherwise: number;
  /** The return value for numbers that the tables do not know. */
  readonly unknown: number;
  /** The return value for calls by the entry point of another architecture, such as the 32-bit one. */
  readonly foreign: number;
  /** The rules, in the order in which they apply. */
  readonly rules: readonly FilterRule[];
}

/** A rule about some calls. */
export interface FilterRule {
  /** The calls; those that the architecture does not have are ignored. */
  readonly names: readonly string[];
  /** A value of {@linkcode SECCOMP_RET}, with an errno or a tracer's number in its lower 16 bits. */
  readonly action: number;
  /** The conditions on the arguments, which must all hold. */
  readonly conditions?: readonly Condition[];
}

/** A condition on an argument: on `argument & mask`, as an unsigned 64-bit number. */
export interface Condition {
  /** The index of the argument, from 0 to 5. */
  readonly index: number;
  /** How it is compared. */
  readonly comparison: Comparison;
  /** The value to compare with. */
  readonly value: bigint;
  /** The bits to compare; the default is all. For `"equal"` and `"unequal"` only. */
  readonly mask?: bigint;
}

/** How an argument is compared with a value. */
export type Comparison =
  | "equal"
  | "unequal"
  | "less"
  | "lessOrEqual"
  | "greater"
  | "greaterOrEqual";

/** Offsets in struct seccomp_data. */
const SECCOMP_DATA = { number: 0, architecture: 4, arguments: 16, size: 64 } as const;

/** The architectures by their numbers in linux/audit.h. */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = {
  x86_64: 0xc000_003e,
  aarch64: 0xc000_00b7,
};

/** The first number of the x32 ABI on x86_64, which has its own numbers for the same calls. */
const X32 = 0x4000_0000;

/** Compiles a filter to instructions, as many `struct sock_filter`. */
export function compileFilter(
  filter: SyscallFilter,
  architecture: Architecture,
): Uint8Array<ArrayBuffer> {
  const bytes = assembleFilter(new Compiler(filter, architecture).parts());
  if (bytes.length > MOST_INSTRUCTIONS * INSTRUCTION_SIZE) throw tooLong();
  return bytes;
}

function tooLong(): RangeError {
  return new RangeError(
    `the filter has more than ${MOST_INSTRUCTIONS} instructions, and the kernel takes no more`,
  );
}

/** The rules of each call, up to the first one without conditions. */
export class RuleIndex {
  readonly #rules = new Map<string, FilterRule[]>();
  readonly #otherwise: readonly FilterRule[];

  /**
   * Makes the index for these calls.
   *
   * @throws {RangeError} where one has more rules than a filter has instructions
   */
  constructor({ rules, otherwise }: SyscallFilter, calls: { has(name: string): boolean }) {
    this.#otherwise = [{ names: [], action: otherwise }];
    // Several rules can share a list of names, which may be long.
    const indexed = new Map<readonly string[], readonly string[]>();
    for (const rule of rules) {
      let names = indexed.get(rule.names);
      if (names === undefined) {
        names = [...new Set(rule.names)].filter((name) => calls.has(name));
        indexed.set(rule.names, names);
      }
      for (const name of names) this.#add(name, rule);
    }
  }

  #add(name: string, rule: FilterRule): void {
    const known = this.#rules.get(name);
    if (known === undefined) return void this.#rules.set(name, [rule]);
    if (isUnconditional(known.at(-1)!)) return;
    if (known.push(rule) > MOST_INSTRUCTIONS) throw tooLong();
  }

  /** The rules for the call; the last of them is without conditions. */
  for(name: string): readonly FilterRule[] {
    const rules = this.#rules.get(name);
    if (rules === undefined) return this.#otherwise;
    return isUnconditional(rules.at(-1)!) ? rules : [...rules, ...this.#otherwise];
  }
}

function isUnconditional({ conditions = [] }: FilterRule): boolean {
  return conditions.length === 0;
}

/** Numbers from `first` up to the next range, for which the filter goes to the same label. */
interface NumberRange {
  readonly first: number;
  readonly decision: Label;
}

class Compiler {
  readonly #filter: SyscallFilter;
  readonly #architecture: Architecture;
  readonly #returns = new Map<number, Label>();
  readonly #decisions = new Map<string, { label: Label; rules: readonly FilterRule[] }>();
  /** The numbers of rules, by what they do and by themselves. */
  readonly #contents = new Map<string, number>();
  readonly #numbers = new Map<FilterRule, number>();
  #decided = 0;

  constructor(filter: SyscallFilter, architecture: Architecture) {
    this.#filter = filter;
    this.#architecture = architecture;
  }

  parts(): (Instruction | Label)[] {
    const ranges = this.#ranges();
    const foreign = this.#return(this.#filter.foreign);
    const value = AUDIT_ARCH[this.#architecture];
    const search = [
      { kind: "load", offset: SECCOMP_DATA.architecture } as const,
      { kind: "branch", test: "equal", value, fails: foreign } as const,
      { kind: "load", offset: SECCOMP_DATA.number } as const,
      ...searchAmong(ranges),
    ];
    const decisions = [...this.#decisions.values()].flatMap((decision) => this.#decide(decision));
    const returns = [...this.#returns].flatMap(([value, label]) => [
      label,
      { kind: "return", value } as const,
    ]);
    return [...search, ...decisions, ...returns];
  }

  #ranges(): readonly NumberRange[] {
    const { unknown } = this.#filter;
    const calls = allSyscalls(this.#architecture);
    const rules = new RuleIndex(this.#filter, calls);
    const known = [...calls].sort(([, a], [, b]) => a - b);
    const ranges: NumberRange[] = [];
    const add = (first: number, decision: Label) => {
      if (ranges.at(-1)?.decision !== decision) ranges.push({ first, decision });
    };
    let next = 0;
    for (const [name, number] of known) {
      if (number > next) add(next, this.#return(unknown));
      add(number, this.#decision(rules.for(name)));
      next = number + 1;
    }
    add(next, this.#return(unknown));
    if (this.#architecture === "x86_64") add(X32, this.#return(X32_VALUE));
    return ranges;
  }

  /** The label of the code for these rules, which calls with the same rules share. */
  #decision(rules: readonly FilterRule[]): Label {
    const first = rules[0]!;
    if (isUnconditional(first)) return this.#return(first.action);
    const key = rules.map((rule) => this.#numberOf(rule)).join();
    let decision = this.#decisions.get(key);
    if (decision === undefined) {
      // A rule takes at least one instruction.
      this.#decided += rules.length;
      if (this.#decided > MOST_INSTRUCTIONS) throw tooLong();
      decision = { label: new Label(`about ${first.names.join(", ")}`), rules };
      this.#decisions.set(key, decision);
    }
    return decision.label;
  }

  /** The number of a rule: the same for rules that do the same. */
  #numberOf(rule: FilterRule): number {
    let number = this.#numbers.get(rule);
    if (number !== undefined) return number;
    const content = JSON.stringify(
      [rule.action, rule.conditions],
      (_, value) => typeof value === "bigint" ? String(value) : value,
    );
    number = this.#contents.get(content) ?? this.#contents.size;
    this.#contents.set(content, number);
    this.#numbers.set(rule, number);
    return number;
  }

  #return(value: number): Label {
    let label = this.#returns.get(value);
    if (label === undefined) {
      label = new Label(`return 0x${value.toString(16)}`);
      this.#returns.set(value, label);
    }
    return label;
  }

  #decide(
    { label, rules }: { label: Label; rules: readonly FilterRule[] },
  ): (Instruction | Label)[] {
    const parts: (Instruction | Label)[] = [label];
    for (const { action, conditions = [] } of rules) {
      const otherwise = new Label("the next rule");
      for (const condition of conditions) parts.push(...compare(condition, otherwise));
      parts.push({ kind: "jump", to: this.#return(action) }, otherwise);
    }
    return parts;
  }
}

/** `ENOSYS`, as without x32 in the kernel. It also applies to a call that a tracer skips (number -1). */
const X32_VALUE = SECCOMP_RET.ERRNO | 38;

/** Finds the range of the accumulator by binary search. */
function searchAmong(ranges: readonly NumberRange[]): (Instruction | Label)[] {
  if (ranges.length === 1) return [{ kind: "jump", to: ranges[0]!.decision }];
  const half = Math.ceil(ranges.length / 2);
  const [below, above] = [ranges.slice(0, half), ranges.slice(half)];
  const value = above[0]!.first;
  if (ranges.length === 2) {
    const [holds, fails] = [above[0]!.decision, below[0]!.decision];
    return [{ kind: "branch", test: "greaterOrEqual", value, holds, fails }];
  }
  const upper = new Label(`${value} and above`);
  return [
    { kind: "branch", test: "greaterOrEqual", value, holds: upper },
    ...searchAmong(below),
    upper,
    ...searchAmong(above),
  ];
}

const EVERY_BIT = 0xffff_ffff_ffff_ffffn;
const LOW = 0xffff_ffffn;

/** Continues if the condition holds, and otherwise jumps to the label. */
function compare(condition: Condition, otherwise: Label): (Instruction | Label)[] {
  const { index, comparison, value, mask = EVERY_BIT } = condition;
  const at = SECCOMP_DATA.arguments + index * 8;
  const holds = new Label("it holds");
  // Both architectures are little-endian: the lower half comes first.
  const high = { offset: at + 4, mask: Number(mask >> 32n), value: Number(value >> 32n) };
  const low = { offset: at, mask: Number(mask & LOW), value: Number(value & LOW) };
  const parts = isEquality(comparison)
    ? equality(high, low, ...directions(comparison === "equal", holds, otherwise))
    : order(
      high,
      low,
      comparison === "greater" || comparison === "lessOrEqual" ? "greater" : "greaterOrEqual",
      ...directions(comparison.startsWith("greater"), holds, otherwise),
    );
  return [...parts, holds];
}

function isEquality(comparison: Comparison): boolean {
  return comparison === "equal" || comparison === "unequal";
}

/** The labels for a test that is true, and for one that is false. */
function directions(
  straight: boolean,
  holds: Label,
  otherwise: Label,
): [Label, Label] {
  return straight ? [holds, otherwise] : [otherwise, holds];
}

/** A half of a 64-bit argument. */
interface Half {
  readonly offset: number;
  readonly mask: number;
  readonly value: number;
}

function equality(high: Half, low: Half, yes: Label, no: Label): Instruction[] {
  return [
    ...loadMasked(high),
    { kind: "branch", test: "equal", value: high.value, fails: no },
    ...loadMasked(low),
    { kind: "branch", test: "equal", value: low.value, holds: yes, fails: no },
  ];
}

/** Compares the upper halves, and if they are equal the lower ones. */
function order(
  high: Half,
  low: Half,
  test: "greater" | "greaterOrEqual",
  yes: Label,
  no: Label,
): Instruction[] {
  return [
    { kind: "load", offset: high.offset },
    { kind: "branch", test: "greater", value: high.value, holds: yes },
    { kind: "branch", test: "equal", value: high.value, fails: no },
    { kind: "load", offset: low.offset },
    { kind: "branch", test, value: low.value, holds: yes, fails: no },
  ];
}

function loadMasked({ offset, mask }: Half): Instruction[] {
  // A mask of all bits needs no instruction.
  const load: Instruction = { kind: "load", offset };
  return mask === 0xffff_ffff ? [load] : [load, { kind: "and", mask }];
}
