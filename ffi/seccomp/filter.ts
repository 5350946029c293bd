/**
 * What a process may call, compiled to a filter for seccomp(2).
 *
 * The filter looks at the architecture first, so that no number is taken for another call's, then
 * finds the call's number by halving, then compares arguments where a rule asks for it.
 *
 * @module
 */

import { SECCOMP_RET } from "./returns.ts";
import { Label } from "../engine/program.ts";
import type { Architecture } from "../syscall_numbers.ts";
import { allSyscalls } from "./all_syscalls.ts";
import { assembleFilter, type Instruction, INSTRUCTION_SIZE, MOST_INSTRUCTIONS } from "./bpf.ts";

export { SECCOMP_RET };

/** What may be called, and what comes of it. Of several rules for a call the first that holds counts. */
export interface SyscallFilter {
  /** What comes of calls that no rule is about; of calls that the tables do not know, `unknown`. */
  readonly otherwise: number;
  /** What comes of numbers that no call had when the tables were written. */
  readonly unknown: number;
  /** The result of a call by another architecture's entry point, such as the 32-bit one. */
  readonly foreign: number;
  /** In the order in which they count. */
  readonly rules: readonly FilterRule[];
}

/** What comes of some calls. */
export interface FilterRule {
  /** The calls; those that the architecture does not have mean nothing. */
  readonly names: readonly string[];
  /** An answer of {@linkcode SECCOMP_RET}, with an errno or a tracer's number in its lower 16 bits. */
  readonly answer: number;
  /** What must hold of the arguments, all of it. */
  readonly conditions?: readonly Condition[];
}

/** What must hold of an argument: `argument & mask`, as an unsigned 64-bit number. */
export interface Condition {
  /** Which argument, from 0 to 5. */
  readonly index: number;
  /** How it is compared. */
  readonly comparison: Comparison;
  /** What it is compared with. */
  readonly value: bigint;
  /** The bits that count, all of them where it is left out. For `"equal"` and `"unequal"` only. */
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

/** Where things lie in struct seccomp_data. */
const SECCOMP_DATA = { number: 0, architecture: 4, arguments: 16, size: 64 } as const;

/** The architectures by their numbers in linux/audit.h. */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = {
  x86_64: 0xc000_003e,
  aarch64: 0xc000_00b7,
};

/** From here on the numbers on x86_64 are those of x32, another entry point of the same calls. */
const X32 = 0x4000_0000;

/** Compiles a filter to instructions, as many `struct sock_filter`. */
export function compileFilter(
  filter: SyscallFilter,
  architecture: Architecture,
): Uint8Array<ArrayBuffer> {
  const bytes = assembleFilter(new Compiler(filter, architecture).parts());
  if (bytes.length > MOST_INSTRUCTIONS * INSTRUCTION_SIZE) {
    throw new RangeError(
      `the filter has ${bytes.length / INSTRUCTION_SIZE} instructions, and the kernel takes ` +
        `${MOST_INSTRUCTIONS} at most`,
    );
  }
  return bytes;
}

/** The rules that may decide about a call, for each call: up to the first without conditions. */
export class RuleIndex {
  readonly #rules = new Map<string, FilterRule[]>();
  readonly #otherwise: readonly FilterRule[];

  constructor({ rules, otherwise }: SyscallFilter) {
    this.#otherwise = [{ names: [], answer: otherwise }];
    for (const rule of rules) {
      for (const name of rule.names) {
        const known = this.#rules.get(name);
        if (known === undefined) this.#rules.set(name, [rule]);
        else if (!isUnconditional(known.at(-1)!)) known.push(rule);
      }
    }
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

/** Numbers from `first` up to the next range, which the same label decides about. */
interface NumberRange {
  readonly first: number;
  readonly decision: Label;
}

class Compiler {
  readonly #filter: SyscallFilter;
  readonly #architecture: Architecture;
  readonly #answers = new Map<number, Label>();
  readonly #decisions = new Map<string, { label: Label; rules: readonly FilterRule[] }>();

  constructor(filter: SyscallFilter, architecture: Architecture) {
    this.#filter = filter;
    this.#architecture = architecture;
  }

  parts(): (Instruction | Label)[] {
    const ranges = this.#ranges();
    const foreign = this.#answer(this.#filter.foreign);
    const value = AUDIT_ARCH[this.#architecture];
    const search = [
      { kind: "load", offset: SECCOMP_DATA.architecture } as const,
      { kind: "branch", test: "equal", value, fails: foreign } as const,
      { kind: "load", offset: SECCOMP_DATA.number } as const,
      ...searchAmong(ranges),
    ];
    const decisions = [...this.#decisions.values()].flatMap((decision) => this.#decide(decision));
    const answers = [...this.#answers].flatMap(([value, label]) => [
      label,
      { kind: "return", value } as const,
    ]);
    return [...search, ...decisions, ...answers];
  }

  #ranges(): readonly NumberRange[] {
    const { unknown } = this.#filter;
    const rules = new RuleIndex(this.#filter);
    const known = [...allSyscalls(this.#architecture)].sort(([, a], [, b]) => a - b);
    const ranges: NumberRange[] = [];
    const add = (first: number, decision: Label) => {
      if (ranges.at(-1)?.decision !== decision) ranges.push({ first, decision });
    };
    let next = 0;
    for (const [name, number] of known) {
      if (number > next) add(next, this.#answer(unknown));
      add(number, this.#decision(rules.for(name)));
      next = number + 1;
    }
    add(next, this.#answer(unknown));
    if (this.#architecture === "x86_64") add(X32, this.#answer(X32_ANSWER));
    return ranges;
  }

  /** Where it is decided about the calls that these rules are for: one place for the same rules. */
  #decision(rules: readonly FilterRule[]): Label {
    const first = rules[0]!;
    if (isUnconditional(first)) return this.#answer(first.answer);
    const key = JSON.stringify(
      rules.map(({ answer, conditions }) => [answer, conditions]),
      (_, value) => typeof value === "bigint" ? String(value) : value,
    );
    let decision = this.#decisions.get(key);
    if (decision === undefined) {
      decision = { label: new Label(`about ${first.names.join(", ")}`), rules };
      this.#decisions.set(key, decision);
    }
    return decision.label;
  }

  #answer(value: number): Label {
    let label = this.#answers.get(value);
    if (label === undefined) {
      label = new Label(`answer 0x${value.toString(16)}`);
      this.#answers.set(value, label);
    }
    return label;
  }

  #decide(
    { label, rules }: { label: Label; rules: readonly FilterRule[] },
  ): (Instruction | Label)[] {
    const parts: (Instruction | Label)[] = [label];
    for (const { answer, conditions = [] } of rules) {
      const otherwise = new Label("the next rule");
      for (const condition of conditions) parts.push(...compare(condition, otherwise));
      parts.push({ kind: "jump", to: this.#answer(answer) }, otherwise);
    }
    return parts;
  }
}

/** As a kernel without x32 answers: `ENOSYS`. A tracer that skips a call gets it too (number -1). */
const X32_ANSWER = SECCOMP_RET.ERRNO | 38;

/** Finds the range that the accumulator lies in by halving. */
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

/** Goes on where the condition holds, and otherwise at the label. */
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

/** Where to go on if the test is true and if it is not. */
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

/** The upper half decides, and where it is the same the lower one. */
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
  // Where no bit counts, nothing has to be looked at.
  const load: Instruction = { kind: "load", offset };
  return mask === 0xffff_ffff ? [load] : [load, { kind: "and", mask }];
}
