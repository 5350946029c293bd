/**
 * System calls laid out as the table that the engine walks: a control-flow graph whose nodes are
 * calls, each with four ways to go on (zero, an accepted errno, failure, success).
 *
 * A table is a header (the first failure), the records, then the memory that they point to. The
 * layout is repeated at the head of `engine/x86_64.S` and `engine/aarch64.S`.
 *
 * @module
 */

import {
  type Argument,
  type Call,
  describeCall,
  FieldAddress,
  Named,
  Output,
  OutputField,
  type Pointer,
  ResultOf,
  Slot,
  Struct,
} from "../call.ts";
import { ERRNO, type ErrnoName } from "../errno.ts";
import { invalidArgument } from "../errors.ts";
import { encodeName } from "../file_name.ts";
import { type Architecture, syscallNumber } from "../syscall_numbers.ts";
import { areForeign, translateOpenFlags } from "./open_flags.ts";

/** A place in a program that other records go on to. */
export class Label {
  constructor(readonly text: string) {}
}

/** Where the walk ends and control returns to JavaScript. */
export const END: Label = new Label("end");

/** How a record goes on. What is left out goes on with the next record; a failure ends the walk. */
export interface Edges {
  /** Errnos that are no failure: `EEXIST` of mkdir, say. At most eight. */
  readonly accept?: readonly ErrnoName[] | undefined;
  /** Where to go on when the call answers 0, as clone(2) does in the child. */
  readonly onZero?: Label | undefined;
  /** Where to go on after an accepted errno. */
  readonly onAccepted?: Label | undefined;
  /** Where to go on after any other errno. */
  readonly onFailure?: Label | undefined;
  /** Where to go on when the call answers more than 0. */
  readonly onSuccess?: Label | undefined;
}

/** A call with its ways to go on. */
export interface ProgramRecord extends Edges {
  readonly call: Call;
}

/** Offsets of the table's header. */
export const HEADER = { failedAt: 0, failedWith: 4, size: 16 } as const;

/** Offsets of a record. */
export const RECORD = {
  number: 0,
  references: 4,
  accepted: 8,
  onZero: 16,
  onAccepted: 20,
  onFailure: 24,
  onSuccess: 28,
  arguments: 32,
  result: 80,
  size: 88,
} as const;

/** The bit of `references` of a call that is retried. */
const RETRIED = 1 << 6;

/** What the engine leaves as the result of a call that has not come back, as execve(2) does not. */
export const PENDING: bigint = -(2n ** 32n);

/** A program, assembled: the bytes of its table and where everything lies in them. */
export interface SyscallProgram {
  /** The table; addresses in it are still offsets. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the table holds an address: the table's own address has to be added there. */
  readonly relocations: readonly number[];
  /** The calls, in the order of their records. */
  readonly calls: readonly Call[];
  /** Where each output lies. */
  readonly outputs: ReadonlyMap<Output, number>;
  /** The cells of each slot, which have to be filled in before the program runs. */
  readonly slots: ReadonlyMap<Slot, readonly number[]>;
}

/** Lays records and labels out as a table. */
export function assemble(
  parts: readonly (ProgramRecord | Label)[],
  architecture: Architecture,
): SyscallProgram {
  let places: Map<Label, number> | undefined;
  const records: ProgramRecord[] = [];
  const calls: Call[] = [];
  // Counted loops here and below, as the others leave an object behind at every step; and no map
  // before it is needed, as most programs are a single call.
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]!;
    if (part instanceof Label) {
      places ??= new Map();
      places.set(part, HEADER.size + records.length * RECORD.size);
    } else {
      records.push(part);
      calls.push(part.call);
    }
  }
  const end = HEADER.size + records.length * RECORD.size;
  const table = new Table(end, calls, areForeign(architecture));
  // The offset of a record, or 0 to end the walk.
  const goOn = (label: Label | undefined, otherwise: number): number => {
    if (label === undefined) return otherwise;
    if (label === END) return 0;
    const place = places?.get(label);
    if (place === undefined) throw new TypeError(`the label "${label.text}" has no place`);
    return place === end ? 0 : place;
  };
  for (let index = 0; index < records.length; index++) {
    const record = records[index]!;
    const offset = HEADER.size + index * RECORD.size;
    const next = offset + RECORD.size === end ? 0 : offset + RECORD.size;
    table.int32(offset + RECORD.number, syscallNumber(record.call.name, architecture));
    if (record.accept !== undefined) table.accepted(offset + RECORD.accepted, record.accept);
    table.int32(offset + RECORD.onZero, goOn(record.onZero, next));
    table.int32(offset + RECORD.onAccepted, goOn(record.onAccepted, next));
    table.int32(offset + RECORD.onFailure, goOn(record.onFailure, 0));
    table.int32(offset + RECORD.onSuccess, goOn(record.onSuccess, next));
    table.arguments(offset, record.call);
  }
  return {
    bytes: table.finished(),
    relocations: table.relocations,
    calls,
    outputs: table.outputs,
    slots: table.slots,
  };
}

/** Where the record of the call with this number begins. */
export function recordOffset(index: number): number {
  return HEADER.size + index * RECORD.size;
}

/** Where the result of the call with this number lies. */
export function resultOffset(index: number): number {
  return recordOffset(index) + RECORD.result;
}

/** Where an argument of the call with this number lies. */
export function argumentOffset(index: number, argument: number): number {
  return recordOffset(index) + RECORD.arguments + argument * 8;
}

/** The number of the call whose record begins at this offset. */
export function recordIndex(offset: number): number {
  return (offset - HEADER.size) / RECORD.size;
}

/** Where every table is written, one at a time, until its size is known. */
let paper = sheet(16 * 1024);

function sheet(size: number) {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

const NONE: ReadonlyMap<never, never> = new Map<never, never>();

/** The table while it is written: records in front, what they point to behind. */
class Table {
  readonly relocations: number[] = [];
  #end = 0;
  readonly #calls: readonly Call[];
  #indexes: Map<Call, number> | undefined;
  #outputs: Map<Output, number> | undefined;
  #slots: Map<Slot, number[]> | undefined;
  /** Strings, structures and the cells of slots, where they lie. */
  #placed: Map<string | Struct | Slot, number> | undefined;

  /** Whether it is for another architecture than the numbers of this module are for. */
  readonly #foreign: boolean;
  readonly #translated = new Set<Struct>();

  constructor(end: number, calls: readonly Call[], foreign: boolean) {
    this.#foreign = foreign;
    this.#calls = calls;
    this.#reserve(end);
  }

  get outputs(): ReadonlyMap<Output, number> {
    return this.#outputs ?? NONE;
  }

  get slots(): ReadonlyMap<Slot, readonly number[]> {
    return this.#slots ?? NONE;
  }

  finished(): Uint8Array<ArrayBuffer> {
    return paper.bytes.slice(0, this.#end);
  }

  int32(offset: number, value: number): void {
    paper.view.setInt32(offset, value, true);
  }

  accepted(offset: number, names: readonly ErrnoName[]): void {
    if (names.length > 8) throw new TypeError("a record accepts at most eight errnos");
    names.forEach((name, index) => paper.view.setUint8(offset + index, ERRNO[name]));
  }

  arguments(record: number, call: Call): void {
    if (call.args.length > 6) throw new TypeError(`${call.name} has more than six arguments`);
    let references = call.retried === true ? RETRIED : 0;
    for (let index = 0; index < call.args.length; index++) {
      const argument = call.args[index] as Argument;
      const offset = record + RECORD.arguments + index * 8;
      if (
        argument instanceof ResultOf || argument instanceof OutputField || argument instanceof Slot
      ) {
        references |= 1 << index;
        this.int32(offset, this.#source(argument, call));
      } else {
        this.#value(offset, argument, call);
      }
    }
    if (this.#foreign) this.#translateFlags(record, call);
    if (references !== 0) this.int32(record + RECORD.references, references);
  }

  /** Gives the flags that a path is opened with the bits of another architecture. */
  #translateFlags(record: number, { name, args }: Call): void {
    const [how, flags] = [args[2], record + RECORD.arguments + 2 * 8];
    if (name === "openat") this.int32(flags, translateOpenFlags(paper.view.getInt32(flags, true)));
    if (name !== "openat2" || !(how instanceof Struct) || this.#translated.has(how)) return;
    this.#translated.add(how);
    const at = this.#placed!.get(how)!;
    this.int32(at, translateOpenFlags(paper.view.getInt32(at, true)));
  }

  #value(
    offset: number,
    argument: Exclude<Argument, ResultOf | OutputField | Slot>,
    call: Call,
  ): void {
    if (argument === null || argument === 0) return;
    if (typeof argument === "number" || typeof argument === "bigint") {
      this.#number(offset, argument);
    } else if (argument instanceof Named) this.#number(offset, argument.value);
    else if (argument instanceof FieldAddress) {
      this.#address(offset, this.#output(argument.memory) + argument.offset);
    } else this.#address(offset, this.#place(argument, call));
  }

  #number(offset: number, value: number | bigint): void {
    if (typeof value === "bigint") paper.view.setBigInt64(offset, BigInt.asIntN(64, value), true);
    // What is reserved is 0, and so is the upper half of most numbers.
    else if (value >= 0 && value < 2 ** 31) this.int32(offset, value);
    else {
      paper.view.setInt32(offset, value | 0, true);
      paper.view.setInt32(offset + 4, Math.floor(value / 2 ** 32), true);
    }
  }

  #address(offset: number, to: number): void {
    this.int32(offset, to);
    this.int32(offset + 4, 0);
    this.relocations.push(offset);
  }

  /** Where a value lies that is known once the program runs. */
  #source(argument: ResultOf | OutputField | Slot, call: Call): number {
    if (argument instanceof Slot) return this.#slot(argument);
    if (argument instanceof OutputField) {
      return this.#place(argument.output, call) + argument.offset;
    }
    const index = this.#indexOf(argument.call);
    if (index === undefined) throw new TypeError(`${argument.call.name} is not in the program`);
    return resultOffset(index);
  }

  #indexOf(call: Call): number | undefined {
    if (this.#indexes === undefined) {
      this.#indexes = new Map();
      for (let index = 0; index < this.#calls.length; index++) {
        this.#indexes.set(this.#calls[index]!, index);
      }
    }
    return this.#indexes.get(call);
  }

  #place(value: Pointer["to"], call: Call): number {
    if (typeof value === "string") return this.#string(value, call);
    if (value instanceof ResultOf || value instanceof OutputField) return this.#source(value, call);
    if (value instanceof Output) return this.#output(value);
    if (value instanceof Struct) return this.#struct(value, call);
    const at = this.#reserve(value.length);
    paper.bytes.set(value, at);
    return at;
  }

  #string(text: string, call: Call): number {
    const known = this.#placed?.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) {
      throw invalidArgument(
        call.name,
        describeCall(call),
        "the kernel ends each string at its first NUL byte; take it out",
      );
    }
    // UTF-8 takes at most three bytes a UTF-16 unit.
    const at = this.#reserve(text.length * 3 + 1);
    const { written } = encodeName(text, paper.bytes.subarray(at, this.#end));
    this.#end = at + written + 1;
    return this.#keep(text, at);
  }

  #struct(struct: Struct, call: Call): number {
    const known = this.#placed?.get(struct);
    if (known !== undefined) return known;
    const at = this.#reserve(struct.bytes.length);
    this.#keep(struct, at);
    paper.bytes.set(struct.bytes, at);
    for (const { offset, to } of struct.pointers) this.#address(at + offset, this.#place(to, call));
    for (const { offset, slot } of struct.cells) this.#cell(slot, at + offset);
    return at;
  }

  /** The cell that arguments refer to: 8 bytes of the slot's own. */
  #slot(slot: Slot): number {
    const known = this.#placed?.get(slot);
    if (known !== undefined) return known;
    const at = this.#reserve(8);
    this.#cell(slot, at);
    return this.#keep(slot, at);
  }

  #cell(slot: Slot, at: number): void {
    this.#slots ??= new Map();
    const cells = this.#slots.get(slot);
    if (cells === undefined) this.#slots.set(slot, [at]);
    else cells.push(at);
  }

  #output(output: Output): number {
    this.#outputs ??= new Map();
    const known = this.#outputs.get(output);
    if (known !== undefined) return known;
    const at = this.#reserve(output.size);
    if (output.initial !== undefined) paper.bytes.set(output.initial, at);
    this.#outputs.set(output, at);
    return at;
  }

  #keep(value: string | Struct | Slot, at: number): number {
    this.#placed ??= new Map();
    this.#placed.set(value, at);
    return at;
  }

  /** Memory of zeros behind all that is there, aligned for any structure. */
  #reserve(size: number): number {
    const begin = this.#end;
    const at = Math.ceil(begin / 8) * 8;
    this.#end = at + size;
    if (this.#end > paper.bytes.length) {
      const larger = sheet(this.#end * 2);
      larger.bytes.set(paper.bytes);
      paper = larger;
    }
    paper.bytes.fill(0, begin, this.#end);
    return at;
  }
}
