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
import { type Abi, allSyscalls, X32_BIT } from "./all_syscalls.ts";
import { withMultiplexers } from "./multiplexed.ts";
import { assembleFilter, type Instruction, INSTRUCTION_SIZE, MOST_INSTRUCTIONS } from "./bpf.ts";

export { SECCOMP_RET };

/** The rules about calls. Of several rules for a call, the first one whose conditions hold applies. */
export interface SyscallFilter {
  /** The return value for known calls without a rule. */
  readonly otherwise: number;
  /** The return value for numbers that the tables do not know. */
  readonly unknown: number;
  /** The return value for calls by the entry point of an ABI that the filter is not for. */
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

/** The entry points by their numbers in linux/audit.h; x32 has that of x86_64. */
export const AUDIT_ARCH: Readonly<Record<Exclude<Abi, "x32">, number>> = {
  x86_64: 0xc000_003e,
  aarch64: 0xc000_00b7,
  i386: 0x4000_0003,
  arm: 0x4000_0028,
};

/** The ABIs that a machine may have beside its own. */
export const OTHER_ABIS: Readonly<Record<Architecture, readonly Abi[]>> = {
  x86_64: ["i386", "x32"],
  aarch64: ["arm"],
};

/**
 * Compiles a filter to instructions, as many `struct sock_filter`.
 *
 * @param others the ABIs that it is for, beside that of the architecture
 */
export function compileFilter(
  filter: SyscallFilter,
  architecture: Architecture,
  others: readonly Abi[] = [],
): Uint8Array<ArrayBuffer> {
  const bytes = assembleFilter(new Compiler(filter, architecture, others).parts());
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

/** The code for some rules. */
interface Decision {
  readonly label: Label;
  readonly rules: readonly FilterRule[];
  /** Whether only the lower halves of the arguments are compared. */
  readonly isNarrow: boolean;
}

/**
 * The ABIs of 32 bits. A 64-bit program that makes their calls (int 0x80) can have anything in the
 * upper halves of its registers, which the filter is shown and the call does not read.
 */
const NARROW: readonly Abi[] = ["i386", "arm"];

class Compiler {
  readonly #filter: SyscallFilter;
  readonly #architecture: Architecture;
  readonly #others: readonly Abi[];
  readonly #returns = new Map<number, Label>();
  readonly #decisions = new Map<string, Decision>();
  /** The numbers of rules, by what they do and by themselves. */
  readonly #contents = new Map<string, number>();
  readonly #numbers = new Map<FilterRule, number>();
  #decided = 0;

  constructor(filter: SyscallFilter, architecture: Architecture, others: readonly Abi[]) {
    this.#filter = filter;
    this.#architecture = architecture;
    this.#others = others;
  }

  parts(): (Instruction | Label)[] {
    const entries = [
      this.#entry(this.#architecture, this.#ranges()),
      ...this.#others.filter((abi) => abi !== "x32").map((abi) =>
        this.#entry(abi, this.#rangesOf(abi))
      ),
    ];
    const foreign = this.#return(this.#filter.foreign);
    const decisions = [...this.#decisions.values()].flatMap((decision) => this.#decide(decision));
    const returns = [...this.#returns].flatMap(([value, label]) => [
      label,
      { kind: "return", value } as const,
    ]);
    return [
      { kind: "load", offset: SECCOMP_DATA.architecture },
      ...entries.flat(),
      { kind: "jump", to: foreign },
      ...decisions,
      ...returns,
    ];
  }

  /** Finds the number of a call that was made by an entry point. */
  #entry(abi: Exclude<Abi, "x32">, ranges: readonly NumberRange[]): (Instruction | Label)[] {
    const other = new Label(`not ${abi}`);
    return [
      { kind: "branch", test: "equal", value: AUDIT_ARCH[abi], fails: other },
      { kind: "load", offset: SECCOMP_DATA.number },
      ...searchAmong(ranges),
      other,
    ];
  }

  /** The ranges of the architecture's own entry point. */
  #ranges(): readonly NumberRange[] {
    const own = this.#rangesOf(this.#architecture);
    if (this.#architecture !== "x86_64") return own;
    const x32 = this.#others.includes("x32") ? this.#rangesOf("x32", X32_BIT) : [];
    // Whatever is beyond fails as without x32 in the kernel; it may be a call that a tracer skips.
    const beyond = x32.length === 0 ? X32_BIT : X32_BIT * 2;
    return [...own, ...x32, { first: beyond, decision: this.#return(NO_CALL) }];
  }

  #rangesOf(abi: Abi, first = 0): readonly NumberRange[] {
    const { unknown } = this.#filter;
    const calls = allSyscalls(abi);
    const rules = new RuleIndex(withMultiplexers(this.#filter, abi), calls);
    const known = [...calls].sort(([, a], [, b]) => a - b);
    const isNarrow = NARROW.includes(abi);
    const ranges: NumberRange[] = [];
    const add = (first: number, decision: Label) => {
      if (ranges.at(-1)?.decision !== decision) ranges.push({ first, decision });
    };
    let next = first;
    for (const [name, number] of known) {
      if (number > next) add(next, this.#return(unknown));
      add(number, this.#decision(rules.for(name), isNarrow));
      next = number + 1;
    }
    add(next, this.#return(unknown));
    return ranges;
  }

  /** The label of the code for these rules, which calls with the same rules share. */
  #decision(rules: readonly FilterRule[], isNarrow: boolean): Label {
    const first = rules[0]!;
    if (isUnconditional(first)) return this.#return(first.action);
    const key = `${isNarrow ? "narrow " : ""}${rules.map((rule) => this.#numberOf(rule)).join()}`;
    let decision = this.#decisions.get(key);
    if (decision === undefined) {
      // A rule takes at least one instruction.
      this.#decided += rules.length;
      if (this.#decided > MOST_INSTRUCTIONS) throw tooLong();
      decision = { label: new Label(`about ${first.names.join(", ")}`), rules, isNarrow };
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

  #decide({ label, rules, isNarrow }: Decision): (Instruction | Label)[] {
    const parts: (Instruction | Label)[] = [label];
    for (const { action, conditions = [] } of rules) {
      const [applies, otherwise] = [this.#return(action), new Label("the next rule")];
      if (conditions.length === 0) parts.push({ kind: "jump", to: applies });
      conditions.forEach((condition, index) => {
        const holds = index === conditions.length - 1 ? applies : new Label("it holds");
        parts.push(...compare(condition, isNarrow, holds, otherwise));
        if (holds !== applies) parts.push(holds);
      });
      parts.push(otherwise);
    }
    return parts;
  }
}

/** `ENOSYS`. */
const NO_CALL = SECCOMP_RET.ERRNO | 38;

/** Finds the range of the accumulator by binary search. */
function searchAmong(ranges: readonly NumberRange[]): (Instruction | Label)[] {
  if (ranges.length === 1) return [{ kind: "jump", to: ranges[0]!.decision }];
  const half = Math.ceil(ranges.length / 2);
  const [below, above] = [goingOn(ranges.slice(0, half)), goingOn(ranges.slice(half))];
  return [
    {
      kind: "branch",
      test: "greaterOrEqual",
      value: ranges[half]!.first,
      holds: above.label,
      fails: below.label,
    },
    ...below.code,
    ...above.code,
  ];
}

/** Where the search goes on among some of the ranges, and the code for it: a single one needs none. */
function goingOn(ranges: readonly NumberRange[]) {
  const { first, decision } = ranges[0]!;
  if (ranges.length === 1) return { label: decision, code: [] };
  const label = new Label(`${first} and above`);
  return { label, code: [label, ...searchAmong(ranges)] };
}

const EVERY_BIT = 0xffff_ffff_ffff_ffffn;
const LOW = 0xffff_ffffn;

/** Jumps to one label if the condition holds, and to the other if it does not. */
function compare(
  condition: Condition,
  isNarrow: boolean,
  holds: Label,
  otherwise: Label,
): Instruction[] {
  const { index, comparison, value, mask = EVERY_BIT } = condition;
  const at = SECCOMP_DATA.arguments + index * 8;
  // Both architectures are little-endian: the lower half comes first.
  const high = {
    offset: isNarrow ? undefined : at + 4,
    mask: Number(mask >> 32n),
    value: Number(value >> 32n),
  };
  const low = { offset: at, mask: Number(mask & LOW), value: Number(value & LOW) };
  return isEquality(comparison)
    ? equality(high, low, ...directions(comparison === "equal", holds, otherwise))
    : order(
      high,
      low,
      comparison === "greater" || comparison === "lessOrEqual" ? "greater" : "greaterOrEqual",
      ...directions(comparison.startsWith("greater"), holds, otherwise),
    );
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

/** A half of a 64-bit argument; without an offset it is 0. */
interface Half {
  readonly offset: number | undefined;
  readonly mask: number;
  readonly value: number;
}

function equality(high: Half, low: Half, yes: Label, no: Label): Instruction[] {
  return [
    ...(isZero(high) ? [] : [
      ...loadMasked(high),
      { kind: "branch", test: "equal", value: high.value, fails: no } as const,
    ]),
    ...loadMasked(low),
    { kind: "branch", test: "equal", value: low.value, holds: yes, fails: no },
  ];
}

/** Whether a half is 0 whatever the argument is, and has to be. */
function isZero({ offset, mask, value }: Half): boolean {
  return (offset === undefined || mask === 0) && value === 0;
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
    loadHalf(high),
    { kind: "branch", test: "greater", value: high.value, holds: yes },
    { kind: "branch", test: "equal", value: high.value, fails: no },
    loadHalf(low),
    { kind: "branch", test, value: low.value, holds: yes, fails: no },
  ];
}

function loadHalf({ offset }: Half): Instruction {
  return offset === undefined ? { kind: "constant", value: 0 } : { kind: "load", offset };
}

function loadMasked(half: Half): Instruction[] {
  const { mask } = half;
  // A mask of all bits needs no instruction.
  const load = loadHalf(half);
  return mask === 0xffff_ffff ? [load] : [load, { kind: "and", mask }];
}
