/** Filters for seccomp(2), compared with an obvious evaluation of what they were compiled from. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Label } from "../../ffi/engine/program.ts";
import { type Abi, allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { assembleFilter, BPF, type Instruction, INSTRUCTION_SIZE } from "../../ffi/seccomp/bpf.ts";
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
  abi: Abi,
  number: number,
  args: readonly bigint[],
): number {
  if (abi === "x86_64" && number >= 0x4000_0000) return ENOSYS;
  if (abi === "x32" && number >= 0x8000_0000) return ENOSYS;
  const name = NAMES[abi].get(number);
  if (name === undefined) return filter.unknown;
  const read = WIDE.includes(abi) ? args : args.map((argument) => argument & 0xffff_ffffn);
  const meant = abi === "i386" ? meantBy(name, read[0]!) : undefined;
  for (const { names, action, conditions = [] } of filter.rules) {
    if (names.includes(name) && conditions.every((condition) => holds(condition, read))) {
      return action;
    }
    // The arguments of what is meant are not seen.
    if (meant === undefined || !names.includes(meant)) continue;
    if (conditions.length === 0 || action !== SECCOMP_RET.ALLOW) return action;
  }
  return filter.otherwise;
}

/** What socketcall(2) and ipc(2) stand for: linux/net.h and linux/ipc.h, some of each. */
function meantBy(name: string, first: bigint): string | undefined {
  if (name === "socketcall") return ({ 1: "socket", 3: "connect", 20: "sendmmsg" })[Number(first)];
  if (name === "ipc") return ({ 1: "semop", 13: "msgget" })[Number(first & 0xffffn)];
  return undefined;
}

const WIDE: readonly Abi[] = ["x86_64", "aarch64", "x32"];

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

const NAMES: Readonly<Record<Abi, ReadonlyMap<number, string>>> = {
  x86_64: namesOf("x86_64"),
  aarch64: namesOf("aarch64"),
  i386: namesOf("i386"),
  x32: namesOf("x32"),
  arm: namesOf("arm"),
};

function namesOf(abi: Abi): ReadonlyMap<number, string> {
  return new Map([...allSyscalls(abi)].map(([name, number]) => [number, name]));
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

/** What is tried of a call that stands for others. */
const MEANT: Readonly<Record<string, readonly bigint[]>> = {
  socketcall: [1n, 3n, 20n, 0x5_0000_0001n, 99n],
  ipc: [1n, 13n, 0x1_000dn, 99n],
};

Deno.test("a filter for several ABIs returns the same by the numbers of each", () => {
  const dice = new Dice();
  for (const rules of [0, 3, 10, 20]) {
    const filter = randomFilter(dice, rules);
    const sockets = ["socket", "connect", "sendmmsg", "socketcall", "semop", "ipc", "msgget"];
    const more = sockets.map((name, index): FilterRule => ({
      names: [name, dice.one(sockets)],
      action: dice.one([SECCOMP_RET.ALLOW, SECCOMP_RET.ERRNO | 97]),
      ...(index % 2 === 0 && {
        conditions: [{ index: 0, comparison: "equal", value: BigInt(dice.below(4)) }],
      }),
    }));
    const whole = { ...filter, rules: [...filter.rules, ...more] };
    for (
      const [architecture, others] of [
        ["x86_64", ["i386"]],
        ["x86_64", ["x32"]],
        ["x86_64", ["i386", "x32"]],
        ["aarch64", ["arm"]],
      ] as const
    ) {
      const program = compileFilter(whole, architecture, others);
      for (const abi of [architecture, ...others]) {
        const entry = AUDIT_ARCH[abi === "x32" ? "x86_64" : abi];
        const first = abi === "x32" ? 0x4000_0000 : 0;
        const own = Array.from({ length: 600 }, (_, index) => first + index);
        const ends = abi === "x86_64" && others.some((other) => other === "x32")
          ? []
          : [0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
        for (const number of [...own, ...ends, ...NAMES[abi].keys()]) {
          const name = NAMES[abi].get(number);
          for (let attempt = 0; attempt < 3; attempt++) {
            const args = Array.from({ length: 6 }, () => dice.word());
            const meant = MEANT[name ?? ""];
            if (meant !== undefined) args[0] = dice.one(meant);
            assertEquals(
              interpret(program, seccompData(number, entry, args)),
              evaluate(whole, abi, number, args),
              `${abi} ${name ?? number}(${args})`,
            );
          }
        }
      }
    }
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

Deno.test("branches to a label that is beyond their 8 bits share the jumps to it", () => {
  const [far, branches] = [new Label("far"), 600];
  const program = assembleFilter([
    { kind: "load", offset: 0 },
    ...Array.from({ length: branches }, (_, value): Instruction => ({
      kind: "branch",
      test: "equal",
      value,
      holds: far,
    })),
    { kind: "return", value: 1 },
    far,
    { kind: "return", value: 2 },
  ]);
  for (const number of [0, 300, branches - 1, branches]) {
    assertEquals(interpret(program, seccompData(number, 0, [])), number === branches ? 1 : 2);
  }
  assertEquals(program.length / INSTRUCTION_SIZE, 1 + branches + 2 + 2);
});

Deno.test("of an argument only what a condition is about is compared", () => {
  const condition = { index: 2, comparison: "equal", value: 0x40n, mask: 0x40n } as const;
  const rule = { names: ["openat"], action: SECCOMP_RET.KILL_PROCESS, conditions: [condition] };
  const filter = { otherwise: SECCOMP_RET.ALLOW, unknown: 0, foreign: 0, rules: [rule] };
  const bytes = compileFilter(filter, "x86_64");
  const loads = Array.from({ length: bytes.length / INSTRUCTION_SIZE }, (_, index) => {
    const view = new DataView(bytes.buffer, index * INSTRUCTION_SIZE, INSTRUCTION_SIZE);
    return view.getUint16(0, true) === BPF.load ? view.getUint32(4, true) : undefined;
  });
  // The architecture, the number, and the lower half of the third argument.
  assertEquals(loads.filter((offset) => offset !== undefined), [4, 0, 16 + 2 * 8]);
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

/** The kernel's tables; Debian's linux-libc-dev, and linux-libc-dev-armhf-cross for arm. */
const HEADERS = {
  x86_64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  aarch64: "/usr/include/asm-generic/unistd.h",
  i386: "/usr/include/x86_64-linux-gnu/asm/unistd_32.h",
  x32: "/usr/include/x86_64-linux-gnu/asm/unistd_x32.h",
  arm: "/usr/arm-linux-gnueabihf/include/asm/unistd-eabi.h",
} as const satisfies Readonly<Record<Abi, string>>;

/** What the generic header has for 32-bit architectures only, and what is no call. */
const NOT_ON_AARCH64 =
  /64$|^(llseek|mmap2|fadvise64_64|_llseek|arch_specific_syscall|syscalls|stat|lstat|sync_file_range2|riscv_\w+)$/;

for (const [architecture, header] of Object.entries(HEADERS) as [Abi, string][]) {
  const ignore = !exists(header);
  const reason = ignore
    ? ` (install Debian's linux-libc-dev${architecture === "arm" ? "-armhf-cross" : ""})`
    : "";
  Deno.test(`the table of ${architecture} is the kernel's${reason}`, { ignore }, () => {
    const text = Deno.readTextFileSync(header);
    const numbers = new Map<string, number>();
    const first = architecture === "x32" ? 0x4000_0000 : 0;
    for (const [, name, number] of text.matchAll(DEFINITION)) {
      numbers.set(name === "fstatat" ? "newfstatat" : name!, first + Number(number));
    }
    const table = allSyscalls(architecture);
    for (const [name, number] of numbers) {
      if (architecture === "aarch64" && !table.has(name) && NOT_ON_AARCH64.test(name)) continue;
      assertEquals(table.get(name), number, name);
    }
    // The headers may be older than the table; what both know they must know alike.
    // x32's own numbers come after those that it shares.
    const shared = [...numbers].filter(([name, n]) => table.has(name) && n < 0x4000_0200);
    const newest = Math.max(...shared.map(([, n]) => n));
    for (const [name, number] of table) {
      if (numbers.has(name) || number > newest || NEWER.has(name)) continue;
      throw new Error(`${name} (${number}) is not in ${header}`);
    }
  });
}

/** A number, which in some headers is counted from a first one. */
const DEFINITION =
  /^#\s*define __NR(?:3264)?_(\w+)\s+\(?(?:__X32_SYSCALL_BIT \+ |__NR_SYSCALL_BASE \+ )?(\d+)\)?/gm;

/** Calls whose numbers lie among those of older ones. */
const NEWER = new Set(["uretprobe", "uprobe"]);

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
