/** Filters for seccomp(2), compared with an obvious evaluation of what they were compiled from. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Label } from "../../ffi/engine/program.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { assembleFilter, type Instruction } from "../../ffi/seccomp/bpf.ts";
import {
  AUDIT_ARCH,
  type Comparison,
  compileFilter,
  type Condition,
  type FilterRule,
  SECCOMP_RET,
  type SyscallFilter,
} from "../../ffi/seccomp/filter.ts";
import { type Architecture, syscallNumber } from "../../ffi/syscall_numbers.ts";
import { interpret } from "./bpf_interpreter.ts";

const ARCHITECTURES = ["x86_64", "aarch64"] as const satisfies readonly Architecture[];
const ENOSYS = SECCOMP_RET.ERRNO | 38;
const COMPARISONS: readonly Comparison[] = [
  "equal",
  "unequal",
  "less",
  "lessOrEqual",
  "greater",
  "greaterOrEqual",
];

/** A system call as a filter sees it: struct seccomp_data. */
function seccompData(number: number, arch: number, args: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, number, true);
  view.setUint32(4, arch, true);
  args.forEach((value, index) => view.setBigUint64(16 + index * 8, value, true));
  return new Uint8Array(view.buffer);
}

/** What the filter is to answer, said as plainly as it can be. */
function evaluate(
  filter: SyscallFilter,
  architecture: Architecture,
  number: number,
  args: readonly bigint[],
): number {
  if (architecture === "x86_64" && number >= 0x4000_0000) return ENOSYS;
  const name = NAMES[architecture].get(number);
  if (name === undefined) return filter.unknown;
  const rule = filter.rules.find(({ names, conditions = [] }) =>
    names.includes(name) && conditions.every((condition) => holds(condition, args))
  );
  return rule?.action ?? filter.otherwise;
}

function holds(
  { index, comparison, value, mask = 2n ** 64n - 1n }: Condition,
  args: readonly bigint[],
) {
  const argument = args[index]! & mask;
  switch (comparison) {
    case "equal":
      return argument === value;
    case "unequal":
      return argument !== value;
    case "less":
      return argument < value;
    case "lessOrEqual":
      return argument <= value;
    case "greater":
      return argument > value;
    case "greaterOrEqual":
      return argument >= value;
  }
}

const NAMES: Readonly<Record<Architecture, ReadonlyMap<number, string>>> = {
  x86_64: namesOf("x86_64"),
  aarch64: namesOf("aarch64"),
};

function namesOf(architecture: Architecture): ReadonlyMap<number, string> {
  return new Map([...allSyscalls(architecture)].map(([name, number]) => [number, name]));
}

/** Numbers as good as random, the same ones each time. */
class Dice {
  #state = 0x2545_f491n;

  bits(count: number): bigint {
    let value = 0n;
    for (let got = 0; got < count; got += 16) {
      this.#state = (this.#state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
      value = (value << 16n) | (this.#state >> 48n);
    }
    return value % 2n ** BigInt(count);
  }

  below(limit: number): number {
    return Number(this.bits(32) % BigInt(limit));
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }

  /** A 64-bit number; often one whose halves are at a border, or like those of others. */
  word(): bigint {
    const half = () =>
      this.one([0n, 1n, 5n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, this.bits(32)]);
    return (half() << 32n) | half();
  }
}

/** Numbers to try: every one that a call has, their neighbours, and strange ones. */
const NUMBERS = [
  ...Array.from({ length: 600 }, (_, number) => number),
  0x3fff_ffff,
  0x4000_0000,
  0x4000_0001,
  0x4000_0200,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
];

function assertSame(filter: SyscallFilter, architecture: Architecture, dice: Dice): void {
  const program = compileFilter(filter, architecture);
  const values = filter.rules.flatMap(({ conditions = [] }) =>
    conditions.map(({ value }) => value)
  );
  for (const number of NUMBERS) {
    for (let attempt = 0; attempt < 4; attempt++) {
      const args = Array.from(
        { length: 6 },
        () => values.length > 0 && dice.below(2) === 0 ? near(dice.one(values), dice) : dice.word(),
      );
      const answer = interpret(program, seccompData(number, AUDIT_ARCH[architecture], args));
      const expected = evaluate(filter, architecture, number, args);
      assert(
        answer === expected,
        `${architecture} ${NAMES[architecture].get(number) ?? number}(${args}): ` +
          `0x${answer.toString(16)}, not 0x${expected.toString(16)}`,
      );
    }
  }
}

function near(value: bigint, dice: Dice): bigint {
  return BigInt.asUintN(64, value + dice.one([0n, 0n, 1n, -1n, 1n << 32n, -(1n << 32n)]));
}

function randomFilter(dice: Dice, rules: number): SyscallFilter {
  const names = [...allSyscalls("x86_64").keys(), "no_such_call"];
  const actions = [SECCOMP_RET.ALLOW, SECCOMP_RET.ERRNO | 1, SECCOMP_RET.KILL_PROCESS, ENOSYS];
  const condition = (): Condition => {
    const comparison = dice.one(COMPARISONS);
    const masked = comparison.endsWith("qual") && !comparison.includes("Or") && dice.below(2) === 0;
    return {
      index: dice.below(6),
      comparison,
      value: dice.word(),
      ...(masked ? { mask: dice.word() } : {}),
    };
  };
  const rule = (): FilterRule => ({
    names: Array.from({ length: 1 + dice.below(8) }, () => dice.one(names)),
    action: dice.one(actions),
    conditions: Array.from({ length: dice.below(4) }, condition),
  });
  return {
    otherwise: dice.one(actions),
    unknown: dice.one(actions),
    foreign: SECCOMP_RET.KILL_PROCESS,
    rules: Array.from({ length: rules }, rule),
  };
}

Deno.test("a filter returns what its rules say, for every call and any arguments", () => {
  const dice = new Dice();
  for (const rules of [0, 1, 3, 10, 30, 100, 100]) {
    const filter = randomFilter(dice, rules);
    for (const architecture of ARCHITECTURES) assertSame(filter, architecture, dice);
  }
});

Deno.test("all 64 bits of an argument are compared", () => {
  const borders = [0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n, 2n ** 63n, 2n ** 64n - 1n];
  for (const comparison of COMPARISONS) {
    for (const value of borders) {
      const condition: Condition = { index: 3, comparison, value };
      const program = compileFilter({
        otherwise: SECCOMP_RET.ERRNO | 1,
        unknown: ENOSYS,
        foreign: SECCOMP_RET.KILL_PROCESS,
        rules: [{ names: ["read"], action: SECCOMP_RET.ALLOW, conditions: [condition] }],
      }, "x86_64");
      for (const argument of borders) {
        const args = [0n, 0n, 0n, argument, 0n, 0n];
        const answer = interpret(program, seccompData(0, AUDIT_ARCH.x86_64, args));
        assertEquals(
          answer === SECCOMP_RET.ALLOW,
          holds(condition, args),
          `${argument} ${comparison} ${value}`,
        );
      }
    }
  }
});

Deno.test("calls by the entry points of other architectures are denied, whatever their number", () => {
  const filter: SyscallFilter = {
    otherwise: SECCOMP_RET.ALLOW,
    unknown: SECCOMP_RET.ALLOW,
    foreign: SECCOMP_RET.KILL_PROCESS,
    rules: [],
  };
  const I386 = 0x4000_0003, ARM = 0x4000_0028;
  for (const [architecture, other] of [["x86_64", I386], ["aarch64", ARM]] as const) {
    const program = compileFilter(filter, architecture);
    for (const number of NUMBERS) {
      const data = seccompData(number, other, [0n, 0n, 0n, 0n, 0n, 0n]);
      assertEquals(interpret(program, data), SECCOMP_RET.KILL_PROCESS);
    }
  }
});

Deno.test("the numbers of x32 are denied, also if all other calls are allowed", () => {
  const program = compileFilter({
    otherwise: SECCOMP_RET.ALLOW,
    unknown: SECCOMP_RET.ALLOW,
    foreign: SECCOMP_RET.KILL_PROCESS,
    rules: [],
  }, "x86_64");
  const none = [0n, 0n, 0n, 0n, 0n, 0n];
  for (const number of [0x4000_0000, 0x4000_0200, 0x4000_003b]) {
    assertEquals(interpret(program, seccompData(number, AUDIT_ARCH.x86_64, none)), ENOSYS);
  }
});

Deno.test("a branch reaches labels beyond its 8 bits", () => {
  for (
    const [between, behind] of [[0, 0], [252, 0], [253, 0], [254, 0], [255, 1], [300, 253], [
      700,
      400,
    ]]
  ) {
    for (const value of [4, 5]) {
      const [yes, no] = [new Label("yes"), new Label("no")];
      const filler = (count: number): Instruction[] =>
        Array.from({ length: count }, () => ({ kind: "return", value: 99 }));
      const program = assembleFilter([
        { kind: "load", offset: 0 },
        { kind: "branch", test: "equal", value, holds: yes, fails: no },
        ...filler(between!),
        yes,
        { kind: "return", value: 1 },
        ...filler(behind!),
        no,
        { kind: "return", value: 2 },
      ]);
      const answer = interpret(program, seccompData(5, 0, []));
      assertEquals(answer, value === 5 ? 1 : 2, `${between}, ${behind}`);
    }
  }
});

Deno.test("a filter that is too long for the kernel is refused", () => {
  const rules = Array.from({ length: 900 }, (_, value): FilterRule => ({
    names: ["read"],
    action: SECCOMP_RET.ALLOW,
    conditions: [{ index: 0, comparison: "greater", value: BigInt(value) << 40n }],
  }));
  const filter = { otherwise: 0, unknown: 0, foreign: 0, rules };
  const error = assertThrows(() => compileFilter(filter, "x86_64"), RangeError);
  assert(error.message.includes("4096"));
});

Deno.test("the tables of all calls agree with the table of those that Ramekin makes", async () => {
  const source = await Deno.readTextFile(new URL("../../ffi/syscall_numbers.ts", import.meta.url));
  const own = [...source.matchAll(/^ {2}(\w+): \[\d+, \d+\],$/gm)].map(([, name]) => name!);
  assert(own.length > 100);
  for (const architecture of ARCHITECTURES) {
    for (const name of own) {
      assertEquals(
        allSyscalls(architecture).get(name),
        syscallNumber(name as never, architecture),
        name,
      );
    }
  }
});

const HEADERS = {
  x86_64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  aarch64: "/usr/include/asm-generic/unistd.h",
} as const;

/** What the generic header has for 32-bit architectures only, and what is no call. */
const NOT_ON_AARCH64 =
  /64$|^(llseek|mmap2|fadvise64_64|_llseek|arch_specific_syscall|syscalls|stat|lstat|sync_file_range2|riscv_\w+)$/;

for (const architecture of ARCHITECTURES) {
  const header = HEADERS[architecture];
  const ignore = !exists(header);
  const reason = ignore ? " (install Debian's linux-libc-dev)" : "";
  Deno.test(`the table of ${architecture} is the kernel's${reason}`, { ignore }, () => {
    const text = Deno.readTextFileSync(header);
    const numbers = new Map<string, number>();
    for (const [, name, number] of text.matchAll(/^#\s*define __NR(?:3264)?_(\w+)\s+(\d+)/gm)) {
      numbers.set(name === "fstatat" ? "newfstatat" : name!, Number(number));
    }
    const table = allSyscalls(architecture);
    for (const [name, number] of numbers) {
      if (architecture === "aarch64" && !table.has(name) && NOT_ON_AARCH64.test(name)) continue;
      assertEquals(table.get(name), number, name);
    }
    // The headers may be older than the table; what both know they must know alike.
    const newest = Math.max(...[...numbers].filter(([name]) => table.has(name)).map(([, n]) => n));
    for (const [name, number] of table) {
      if (numbers.has(name) || number > newest || NEWER.has(name)) continue;
      throw new Error(`${name} (${number}) is not in ${header}`);
    }
  });
}

/** Calls whose numbers lie among those of older ones. */
const NEWER = new Set(["uretprobe", "uprobe"]);

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
