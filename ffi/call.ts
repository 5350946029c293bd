/**
 * A system call as plain data: its name, its arguments, and the errors that it may answer without
 * having failed. The same value is performed at once (`linux.*`), laid into a program, and printed
 * in a plan.
 *
 * @module
 */

import type { SyscallName } from "./syscall_numbers.ts";

/** One system call, described. Identity matters: a {@linkcode ResultOf} names a call by it. */
export interface Call {
  readonly name: SyscallName;
  readonly args: readonly Argument[];
  /**
   * Whether the engine makes the call again where it answers `EAGAIN`, up to 1024 times: the kernel
   * says so where it could do nothing else, and not that the caller would have to wait.
   */
  readonly retried?: boolean;
  /** What the call tells about an earlier one, where it was made for nothing else. */
  readonly verdict?: Verdict;
}

/**
 * What it means that a call fails which was made to look at what an earlier one has brought: the
 * engine stops at a failing call, and compares nothing itself.
 */
export interface Verdict {
  /** What was asked for, by the kernel's name: `RTM_NEWLINK`. */
  readonly name: string;
  /** What was asked for, in full. */
  readonly text: string;
  /** What came back. */
  readonly answer: Output;
  /** Reads what came back: the errno, and the kernel's own words where there are any. */
  read(answer: DataView): { readonly errno: number; readonly words: string | undefined };
}

/**
 * What an argument can be: a number as it is, `null` for NULL, a string for the address of a copy
 * ending in NUL, bytes for the address of a copy, or one of the kinds below.
 */
export type Argument =
  | number
  | bigint
  | null
  | string
  | Uint8Array<ArrayBuffer>
  | Named
  | Struct
  | Output
  | OutputField
  | FieldAddress
  | ResultOf
  | Slot;

/**
 * How a value is shown. Only plans and errors show it, so what takes time to write is a function
 * that writes it when it is asked for.
 */
export type Text = string | ((show: ShowSlot) => string);

/** Shows what a slot holds, or stands for. */
export type ShowSlot = (slot: Slot) => string;

/** A number that is shown by its kernel name: flags, a command of `prctl`, `AT_FDCWD`. */
export class Named {
  readonly #text: Text;

  constructor(readonly value: number | bigint, text: Text) {
    this.#text = text;
  }

  /** Its kernel name. */
  get text(): string {
    return written(this.#text, textOf);
  }
}

/** The descriptor of an open file: a number, the result of an earlier call, or a slot. */
export type Fd = number | Named | ResultOf | OutputField | Slot;

/** The pid of a process: a number, the result of an earlier call, or a slot. */
export type Pid = number | ResultOf | OutputField | Slot;

/**
 * A value that is filled in before each run of a program, which is laid out once: a number, or an
 * address. It is shown by its text, unless whoever shows it knows the value.
 */
export class Slot {
  /** @param size how many bytes it takes where it stands in a {@linkcode Struct}: 10 for digits */
  constructor(readonly text: string, readonly size: 4 | 8 | 10 = 8) {}
}

/** Memory that the kernel fills; what it holds can be read once the program has run. */
export class Output {
  /** @param initial what it holds before, for a value that the kernel reads and then changes */
  constructor(
    readonly size: number,
    readonly text = "&out",
    readonly initial?: Uint8Array<ArrayBuffer>,
  ) {}
}

/**
 * A 32-bit field of an {@linkcode Output}, or of a {@linkcode Struct} that the kernel writes to, as
 * an argument of a later call: an end of a pipe, say.
 */
export class OutputField {
  constructor(readonly output: Output | Struct, readonly offset: number, readonly text: string) {}
}

/** The address of a field of an {@linkcode Output}, for a call that takes memory. */
export class FieldAddress {
  constructor(readonly memory: Output, readonly offset: number, readonly text: string) {}
}

/** The result of an earlier call of the same program, as an argument: a file descriptor, a pid. */
export class ResultOf {
  constructor(readonly call: Call, readonly text: string) {}
}

/** A structure passed by address, with the addresses that it holds itself. */
export class Struct {
  readonly #text: Text;

  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    text: Text,
    readonly pointers: readonly Pointer[] = [],
    readonly cells: readonly SlotCell[] = [],
  ) {
    this.#text = text;
  }

  /** Its fields, as C would write them. */
  get text(): string {
    return this.show(textOf);
  }

  /** The same, with the values of its slots. */
  show(show: ShowSlot): string {
    return written(this.#text, show);
  }

  /** How many bytes it has. */
  get size(): number {
    return this.bytes.length;
  }
}

/** An address inside a {@linkcode Struct}, and what it points to. */
export interface Pointer {
  readonly offset: number;
  readonly to: string | Uint8Array<ArrayBuffer> | Struct | Output | OutputField | ResultOf;
}

/** A field of a {@linkcode Struct} whose value is filled in before each run. */
export interface SlotCell {
  readonly offset: number;
  readonly slot: Slot;
}

/** Describes a system call. */
export function call(name: SyscallName, ...args: Argument[]): Call {
  return { name, args };
}

/** The named flags of a bit set, or'ed together as C writes them: `MS_NOSUID|MS_NODEV`. */
export function flags(value: number, names: Readonly<Record<string, number>>): Named {
  return new Named(value, () => flagNames(value, names));
}

function flagNames(value: number, names: Readonly<Record<string, number>>): string {
  let rest = value;
  const words: string[] = [];
  for (const [name, bits] of Object.entries(names)) {
    // Division, because flags beyond bit 31 do not survive JavaScript's bit operators.
    if (bits !== 0 && containsBits(rest, bits)) {
      words.push(name);
      rest -= bits;
    }
  }
  if (rest !== 0 || words.length === 0) words.push(rest === 0 ? "0" : `0x${rest.toString(16)}`);
  return words.join("|");
}

/** One constant of a set, by its name there: `SIG_SETMASK`, `PR_SET_DUMPABLE`. */
export function constant(value: number, names: Readonly<Record<string, number>>): Named {
  return new Named(value, () => {
    const entry = Object.entries(names).find(([, known]) => known === value);
    return entry?.[0] ?? String(value);
  });
}

/** A file mode, shown in octal. */
export function mode(value: number): Named {
  return new Named(value, () => `0${value.toString(8)}`);
}

/** A list of pointers that ends in NULL, as execve(2) wants its arguments and environment. */
export function pointerList(items: readonly string[], text: Text): Struct {
  return new Struct(
    new Uint8Array((items.length + 1) * 8),
    text,
    items.map((to, index) => ({ offset: index * 8, to })),
  );
}

/**
 * The call as C would write it, with its arguments by their kernel names.
 *
 * @param show shows the slots, where their values are known
 */
export function describeCall(call: Call, show: ShowSlot = textOf): string {
  return `${call.name}(${
    call.args.map((argument) => describeArgument(argument, show)).join(", ")
  })`;
}

function describeArgument(argument: Argument, show: ShowSlot): string {
  if (argument === null) return "NULL";
  if (typeof argument === "string") return JSON.stringify(argument);
  if (typeof argument === "number" || typeof argument === "bigint") return String(argument);
  if (argument instanceof Uint8Array) return describeBytes(argument);
  if (argument instanceof Slot) return show(argument);
  return argument instanceof Struct ? argument.show(show) : argument.text;
}

function textOf(slot: Slot): string {
  return slot.text;
}

function written(text: Text, show: ShowSlot): string {
  return typeof text === "string" ? text : text(show);
}

function describeBytes(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, 40);
  const text = new TextDecoder().decode(shown);
  const printable = !/[^\t\n\x20-\x7e]/.test(text);
  if (printable) return JSON.stringify(text) + (bytes.length > shown.length ? "..." : "");
  return `[${bytes.length} bytes]`;
}

function containsBits(value: number, bits: number): boolean {
  const high = Math.floor(value / 2 ** 32), low = value >>> 0;
  const bitsHigh = Math.floor(bits / 2 ** 32), bitsLow = bits >>> 0;
  return (high & bitsHigh) >>> 0 === bitsHigh && (low & bitsLow) >>> 0 === bitsLow;
}
