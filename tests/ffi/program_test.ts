/** The table of a program, against a slow and obvious reading of it. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Argument,
  type Call,
  call,
  describeCall,
  Named,
  Output,
  OutputField,
  pointerList,
  ResultOf,
  Slot,
  Struct,
} from "../../ffi/call.ts";
import { SyscallError } from "../../ffi/errors.ts";
import {
  argumentOffset,
  assemble,
  END,
  HEADER,
  Label,
  type ProgramRecord,
  recordIndex,
  recordOffset,
  resultOffset,
  type SyscallProgram,
} from "../../ffi/engine/program.ts";
import { rounds } from "../rounds.ts";

/** A record of a table. */
interface Row {
  readonly number: number;
  readonly references: number;
  readonly accepted: number[];
  readonly onZero: number;
  readonly onAccepted: number;
  readonly onFailure: number;
  readonly onSuccess: number;
  readonly arguments: bigint[];
  readonly result: bigint;
}

/** A table, read word by word as the engine's sources describe it. */
class Reading {
  readonly view: DataView;

  constructor(readonly program: SyscallProgram) {
    const { buffer, byteOffset, length } = program.bytes;
    this.view = new DataView(buffer, byteOffset, length);
  }

  int(at: number): number {
    return this.view.getInt32(at, true);
  }

  long(at: number): bigint {
    return this.view.getBigInt64(at, true);
  }

  record(index: number): Row {
    const at = 16 + index * 88;
    return {
      number: this.int(at),
      references: this.int(at + 4),
      accepted: [...this.program.bytes.subarray(at + 8, at + 16)],
      onZero: this.int(at + 16),
      onAccepted: this.int(at + 20),
      onFailure: this.int(at + 24),
      onSuccess: this.int(at + 28),
      arguments: [0, 1, 2, 3, 4, 5].map((argument) => this.long(at + 32 + argument * 8)),
      result: this.long(at + 80),
    };
  }

  /** What lies at the address that is written here; the address must be known as one. */
  follow(at: number, size: number): number[] {
    assert(this.program.relocations.includes(at), `the address at ${at} is not relocated`);
    const to = Number(this.long(at));
    assertEquals(to % 8, 0, "memory that the kernel reads is aligned");
    assert(to + size <= this.program.bytes.length);
    return [...this.program.bytes.subarray(to, to + size)];
  }

  text(at: number): string {
    const { bytes } = this.program;
    const to = Number(this.long(at));
    this.follow(at, bytes.indexOf(0, to) + 1 - to);
    return new TextDecoder().decode(bytes.subarray(to, bytes.indexOf(0, to)));
  }
}

function read(...parts: (ProgramRecord | Label)[]): Reading {
  return new Reading(assemble(parts, "x86_64"));
}

function argument(value: Argument): bigint {
  return read({ call: call("close", value) }).record(0).arguments[0]!;
}

Deno.test("an empty program is a header", () => {
  const program = assemble([], "x86_64");
  assertEquals([...program.bytes], Array(16).fill(0));
  assertEquals(program.relocations, []);
  assertEquals(program.calls, []);
});

Deno.test("a record holds the number of its call on its architecture", () => {
  const parts = [{ call: call("getpid") }];
  assertEquals(new Reading(assemble(parts, "x86_64")).record(0).number, 39);
  assertEquals(new Reading(assemble(parts, "aarch64")).record(0).number, 172);
});

Deno.test("a record continues with the next; a failure and the last record end the program", () => {
  const table = read({ call: call("getpid") }, { call: call("getuid") });
  const { onZero, onAccepted, onFailure, onSuccess, result } = table.record(0);
  assertEquals([onZero, onAccepted, onFailure, onSuccess, result], [104, 104, 0, 104, 0n]);
  const last = table.record(1);
  assertEquals([last.onZero, last.onAccepted, last.onFailure, last.onSuccess], [0, 0, 0, 0]);
});

Deno.test("edges lead to labels, forward and back", () => {
  const first = new Label("first"), third = new Label("third");
  const table = read(
    first,
    { call: call("getpid"), onSuccess: third, onZero: END },
    { call: call("getuid"), onFailure: third, onAccepted: first },
    third,
    { call: call("getgid"), onSuccess: first },
  );
  assertEquals(
    [0, 1, 2].map((index) => {
      const { onZero, onAccepted, onFailure, onSuccess } = table.record(index);
      return [onZero, onAccepted, onFailure, onSuccess];
    }),
    [
      [0, 104, 0, 192],
      [192, 16, 192, 192],
      [0, 0, 0, 16],
    ],
  );
});

Deno.test("a label may stand before its own record, and after the last", () => {
  const again = new Label("again"), done = new Label("done");
  const table = read(again, { call: call("getpid"), onSuccess: again, onFailure: done }, done);
  const { onSuccess, onFailure } = table.record(0);
  assertEquals([onSuccess, onFailure], [16, 0]);
});

Deno.test("a label without a place is refused by its name", () => {
  const nowhere = new Label("nowhere");
  assertThrows(
    () => read({ call: call("getpid"), onFailure: nowhere }),
    TypeError,
    'the label "nowhere" has no place',
  );
});

Deno.test("accepted errnos are bytes, eight at most", () => {
  const { accepted } = read({ call: call("getpid"), accept: ["EEXIST", "ENOENT"] }).record(0);
  assertEquals(accepted, [17, 2, 0, 0, 0, 0, 0, 0]);
  const eight = ["EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC"] as const;
  const table = read({ call: call("getpid"), accept: eight });
  assertEquals(table.record(0).accepted, [1, 2, 3, 4, 5, 6, 7, 8]);
  assertThrows(
    () => read({ call: call("getpid"), accept: [...eight, "EBADF"] }),
    TypeError,
    "eight",
  );
});

Deno.test("numbers keep their 64 bits", () => {
  const numbers = [
    0,
    1,
    -1,
    -100,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 32),
    -(2 ** 32) - 1,
    2 ** 40 + 7,
    -(2 ** 40) - 7,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ];
  for (const number of numbers) {
    assertEquals(argument(number), BigInt(number), String(number));
    assertEquals(argument(BigInt(number)), BigInt(number), `${number}n`);
    assertEquals(argument(new Named(number, "N")), BigInt(number), `Named ${number}`);
  }
  assertEquals(argument(2n ** 63n - 1n), 2n ** 63n - 1n);
  assertEquals(argument(-(2n ** 63n)), -(2n ** 63n));
  assertEquals(argument(2n ** 64n - 1n), -1n, "unsigned numbers wrap");
  assertEquals(argument(null), 0n);
});

Deno.test("a call has six arguments at most", () => {
  const six = read({ call: call("mmap", 1, 2, 3, 4, 5, 6) });
  assertEquals(six.record(0).arguments, [1n, 2n, 3n, 4n, 5n, 6n]);
  assertThrows(() => read({ call: call("mmap", 1, 2, 3, 4, 5, 6, 7) }), TypeError, "six");
});

Deno.test("strings end in NUL and are in the table once", () => {
  const table = read(
    { call: call("mkdirat", -100, "/täst", 0o755) },
    { call: call("mount", "tmpfs", "/täst", "tmpfs", 0, "") },
  );
  assertEquals(table.text(argumentOffset(0, 1)), "/täst");
  assertEquals([0, 1, 2, 4].map((i) => table.text(argumentOffset(1, i))), [
    "tmpfs",
    "/täst",
    "tmpfs",
    "",
  ]);
  assertEquals(table.record(0).arguments[1], table.record(1).arguments[1]);
  assertEquals(table.record(1).arguments[0], table.record(1).arguments[2]);
  assertEquals(table.record(1).references, 0);
});

Deno.test("a NUL byte in a string is refused, in a structure too", () => {
  const refused = assertThrows(
    () => read({ call: call("chdir", "/tmp\0/etc") }),
    SyscallError,
    "NUL",
  );
  assertEquals([refused.syscall, refused.code], ["chdir", "EINVAL"]);
  assertThrows(
    () => read({ call: call("execve", "/bin/true", pointerList(["a\0b"], "argv"), null) }),
    SyscallError,
    "NUL",
  );
});

Deno.test("references hold the offset of the value", () => {
  const pipe = new Output(8, "&pipe");
  const open = call("openat", -100, "/", 0), make = call("pipe2", pipe, 0);
  const dup = call("dup3", new ResultOf(open, "root"), new OutputField(pipe, 4, "pipe[1]"), 0);
  const table = read({ call: open }, { call: make }, { call: dup });
  const { references, arguments: [from, to] } = table.record(2);
  assertEquals(references, 0b11);
  assertEquals(from, BigInt(resultOffset(0)));
  assertEquals(to, BigInt(table.program.outputs.get(pipe)! + 4));
  assertEquals(table.long(argumentOffset(1, 0)), BigInt(table.program.outputs.get(pipe)!));
  assertEquals(table.program.relocations, [argumentOffset(0, 1), argumentOffset(1, 0)]);
});

Deno.test("a reference may name a call that comes later, and none outside the program", () => {
  const last = call("getpid");
  const table = read({ call: call("close", new ResultOf(last, "pid")) }, { call: last });
  assertEquals(table.record(0).arguments[0], BigInt(resultOffset(1)));
  assertThrows(
    () => read({ call: call("close", new ResultOf(last, "pid")) }),
    TypeError,
    "getpid is not in the program",
  );
});

Deno.test("a structure is in the table once, with the addresses that it contains", () => {
  const argv = pointerList(["sh", "-c", "sh"], "argv");
  const table = read(
    { call: call("execve", "/bin/sh", argv, argv) },
  );
  assertEquals(table.record(0).arguments[1], table.record(0).arguments[2]);
  table.follow(argumentOffset(0, 1), 32);
  const at = Number(table.record(0).arguments[1]);
  assertEquals([0, 8, 16].map((offset) => table.text(at + offset)), ["sh", "-c", "sh"]);
  assertEquals(table.long(at), table.long(at + 16));
  assertEquals(table.long(at + 24), 0n);
});

Deno.test("a slot has one cell for all arguments, and one in each structure that holds it", () => {
  const slot = new Slot("fd", 4);
  const poll = () => new Struct(new Uint8Array(8).fill(255), "[fd]", [], [{ offset: 4, slot }]);
  const table = read(
    { call: call("ioctl", slot, poll()) },
    { call: call("ioctl", poll(), slot) },
  );
  const cells = table.program.slots.get(slot)!;
  const [first, second] = [table.record(0), table.record(1)];
  assertEquals(cells.map(BigInt), [
    first.arguments[0],
    first.arguments[1]! + 4n,
    second.arguments[0]! + 4n,
  ]);
  assertEquals(second.arguments[1], first.arguments[0]);
  assertEquals([first.references, second.references], [0b01, 0b10]);
  assertEquals(cells.map((at) => at % 4), [0, 0, 0]);
});

Deno.test("a slot is shown by its text, or by its value", () => {
  const slot = new Slot("fd");
  const struct = new Struct(new Uint8Array(8), (show) => `{${show(slot)}}`, [], [
    { offset: 0, slot },
  ]);
  const described = call("ioctl", slot, struct);
  assertEquals(describeCall(described), "ioctl(fd, {fd})");
  assertEquals(describeCall(described, () => "7"), "ioctl(7, {7})");
});

Deno.test("offsets and indexes of records are inverse", () => {
  for (const index of [0, 1, 2, 100]) {
    assertEquals(recordOffset(index), HEADER.size + index * 88);
    assertEquals(recordIndex(recordOffset(index)), index);
    assertEquals(resultOffset(index), recordOffset(index) + 80);
    assertEquals(argumentOffset(index, 5), recordOffset(index) + 72);
  }
});

Deno.test("a table grows as needed", () => {
  const big = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
  const long = "x".repeat(70_000);
  const table = read(
    { call: call("write", 1, big, big.length) },
    { call: call("write", 1, new Struct(big.slice(), "big", [{ offset: 8, to: long }]), 1) },
    { call: call("chdir", long) },
  );
  assertEquals(table.follow(argumentOffset(0, 1), big.length), [...big]);
  const struct = table.follow(argumentOffset(1, 1), big.length);
  assertEquals(struct.slice(16), [...big.subarray(16)]);
  assertEquals(table.text(argumentOffset(2, 0)), long);
  assertEquals(table.long(Number(table.record(1).arguments[1]) + 8), table.record(2).arguments[0]);
});

Deno.test("random programs are decoded as they were assembled", () => {
  const random = randomNumbers(2026);
  for (let round = 0; round < rounds(200); round++) {
    const outputs = [1, 4, 128].map((size) => new Output(size));
    const calls: Call[] = [];
    for (let index = random(20); index >= 0; index--) {
      const args = Array.from({ length: random(7) }, () => randomArgument(random, calls, outputs));
      calls.push(call("ioctl", ...args));
    }
    const table = read(...calls.map((call) => ({ call })));
    calls.forEach(({ args }, index) => {
      const references = args.map((arg) =>
        arg instanceof ResultOf || arg instanceof OutputField || arg instanceof Slot
      );
      const bits = references.reduce((sum, is, bit) => sum + (is ? 2 ** bit : 0), 0);
      assertEquals(table.record(index).references, bits);
      args.forEach((arg, position) => expectArgument(table, index, position, arg, calls));
    });
  }
});

function expectArgument(
  table: Reading,
  index: number,
  position: number,
  expected: Argument,
  calls: readonly Call[],
): void {
  const at = argumentOffset(index, position);
  const value = table.record(index).arguments[position]!;
  if (typeof expected === "number") assertEquals(value, BigInt(expected));
  else if (typeof expected === "bigint") assertEquals(value, expected);
  else if (typeof expected === "string") assertEquals(table.text(at), expected);
  else if (expected instanceof Uint8Array) {
    assertEquals(table.follow(at, expected.length), [...expected]);
  } else if (expected instanceof Output) {
    assertEquals(table.follow(at, expected.size), Array(expected.size).fill(0));
  } else if (expected instanceof OutputField) {
    assertEquals(value, BigInt(table.program.outputs.get(expected.output)! + expected.offset));
  } else if (expected instanceof ResultOf) {
    assertEquals(value, BigInt(16 + calls.indexOf(expected.call) * 88 + 80));
  } else if (expected instanceof Slot) {
    assertEquals(value, BigInt(table.program.slots.get(expected)![0]!));
  } else assertEquals(value, 0n);
}

const slots = [new Slot("one"), new Slot("other")];

function randomArgument(
  random: (below: number) => number,
  calls: readonly Call[],
  outputs: readonly Output[],
): Argument {
  const letters = () =>
    String.fromCodePoint(...Array.from({ length: random(9) }, () => 1 + random(0xd000)));
  const output = outputs[random(outputs.length)]!;
  const earlier = calls[random(calls.length)];
  switch (random(9)) {
    case 0:
      return random(2 ** 31) * 2 ** 21 - 2 ** 51;
    case 1:
      return BigInt(random(2 ** 31)) << 31n;
    case 2:
      return letters();
    case 3:
      return Uint8Array.from({ length: random(2000) }, () => random(256));
    case 4:
      return output;
    case 5:
      return new OutputField(output, 0, "field");
    case 6:
      return earlier ? new ResultOf(earlier, "result") : null;
    case 7:
      return slots[random(slots.length)]!;
    default:
      return null;
  }
}

/** Numbers below a bound, the same for the same seed (Numerical Recipes' generator). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
