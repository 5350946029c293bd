/**
 * Many calls that are made once each: they are written into the memory of their table directly, as
 * a description of each would take longer than the call. A batch runs on a thread of Deno's pool,
 * and where that is wanted in a process of its own that has joined a user namespace: with that
 * namespace's capabilities, and with the ids that it maps.
 *
 * @module
 */

import { CLONE_FILES, CLONE_NEWUSER, CLONE_VFORK, CLONE_VM } from "./calls/constants/namespaces.ts";
import { ERRNO, type ErrnoName } from "./errno.ts";
import { encodeName } from "./file_name.ts";
import { type Architecture, type SyscallName, syscallNumber } from "./syscall_numbers.ts";
import type { Engine } from "./engine/engine.ts";
import type { Memory } from "./engine/memory.ts";
import { HEADER, PENDING, RECORD, recordOffset, resultOffset } from "./engine/program.ts";

/** The result of an earlier call of the same batch, as an argument. */
export class BatchResult {
  constructor(readonly index: number) {}
}

/** An argument: a number, an address that the batch gave, or the result of an earlier call. */
export type BatchArgument = number | BatchResult;

/** How a call of a batch goes on. */
export interface BatchEdges {
  /** Errnos that are no failure. */
  readonly accept?: readonly ErrnoName[];
  /** How many of the calls behind it are left out after one of those. */
  readonly skip?: number;
}

/** The call at which a batch has stopped. */
export interface BatchFailure {
  /** Its number. */
  readonly index: number;
  readonly name: SyscallName;
  readonly errno: number;
}

/** The kernel's signal mask (asm/signal.h): 64 bits. */
const MASK_SIZE = 8;
const SIG_SETMASK = 2;
/** Waits for a child whose end sends no signal (linux/wait.h). */
const WALL = 0x4000_0000;

/** The calls around those of a batch, where a process of its own makes them. */
const CHILD = { setns: 4, exit: 5, first: 6 } as const;

/** A table of calls in memory of its own: records from the front, what they point to from the end. */
export class CallBatch implements Disposable {
  readonly #engine: Engine;
  readonly #architecture: Architecture;
  readonly #memory: Memory;
  readonly #namespace: number | undefined;
  readonly #names: SyscallName[] = [];
  readonly #kept = new Map<ArrayBufferLike, number>();
  readonly #numbers = new Map<SyscallName, number>();
  /** How many records there are, and where the data begin that they point to. */
  #count = 0;
  #data = 0;
  /** Where the status of the process lies that has made them. */
  #status = 0;

  /**
   * @param size how many bytes its table may have, with all that the calls point to
   * @param namespace the descriptor of the user namespace that the calls are made in
   */
  constructor(engine: Engine, size: number, namespace?: number) {
    this.#engine = engine;
    this.#architecture = engine.architecture;
    this.#memory = engine.allocate(size);
    this.#namespace = namespace;
    this.clear();
  }

  /** Whether nothing was added. */
  get isEmpty(): boolean {
    return this.#count === this.#first;
  }

  /** The number that the next call gets. */
  get next(): number {
    return this.#count;
  }

  /** How many bytes there is room for: a call takes 88, and what it points to its own size. */
  get room(): number {
    return this.#data - recordOffset(this.#count) - RECORD.size;
  }

  /** Adds a call, and returns its number. */
  add(name: SyscallName, args: readonly BatchArgument[], edges: BatchEdges = {}): number {
    const index = this.#count;
    const { view } = this.#memory;
    const at = recordOffset(index);
    if (at + 2 * RECORD.size > this.#data) throw new RangeError("the batch is full");
    this.#count++;
    const next = at + RECORD.size;
    view.setInt32(at + RECORD.number, this.#numberOf(name), true);
    let references = 0;
    for (let position = 0; position < 6; position++) {
      const argument = args[position] ?? 0;
      const field = at + RECORD.arguments + position * 8;
      if (typeof argument === "number") writeNumber(view, field, argument);
      else {
        references |= 1 << position;
        writeNumber(view, field, resultOffset(argument.index));
      }
    }
    view.setInt32(at + RECORD.references, references, true);
    view.setBigUint64(at + RECORD.accepted, acceptedBytes(edges.accept), true);
    view.setInt32(at + RECORD.onZero, next, true);
    view.setInt32(at + RECORD.onSuccess, next, true);
    view.setInt32(at + RECORD.onAccepted, next + RECORD.size * (edges.skip ?? 0), true);
    view.setInt32(at + RECORD.onFailure, this.#end, true);
    view.setBigInt64(at + RECORD.result, PENDING, true);
    this.#names[index] = name;
    return index;
  }

  /** Copies a name, with a NUL behind it, and returns the address of the copy. */
  name(text: string): number {
    const size = text.length * 3 + 1;
    const at = this.#reserve(size);
    const { written } = encodeName(text, this.#memory.bytes.subarray(at, at + size - 1));
    this.#memory.bytes[at + written] = 0;
    return this.#memory.address + at;
  }

  /** Copies bytes, and returns the address of the copy. */
  bytes(bytes: Uint8Array): number {
    const at = this.#reserve(bytes.length);
    this.#memory.bytes.set(bytes, at);
    return this.#memory.address + at;
  }

  /** Copies whole numbers as 64-bit words, and returns their address. */
  words(...values: readonly number[]): number {
    const at = this.#reserve(values.length * 8);
    for (let index = 0; index < values.length; index++) {
      writeNumber(this.#memory.view, at + index * 8, values[index]!);
    }
    return this.#memory.address + at;
  }

  /** Room that the kernel writes to; {@linkcode read} returns what it holds after the run. */
  output(size: number): number {
    const at = this.#reserve(size);
    this.#memory.bytes.fill(0, at, at + size);
    return this.#memory.address + at;
  }

  /** What lies at an address of the batch's own. */
  read(address: number, size: number): DataView<ArrayBuffer> {
    return new DataView(this.#memory.view.buffer, address - this.#memory.address, size);
  }

  /** The address of bytes that lie elsewhere, and are kept until the batch is cleared. */
  address(bytes: Uint8Array): number {
    const { buffer } = bytes;
    let start = this.#kept.get(buffer);
    if (start === undefined) {
      const whole = new Uint8Array(buffer as ArrayBuffer);
      start = Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(whole)));
      this.#kept.set(buffer, start);
    }
    return start + bytes.byteOffset;
  }

  /**
   * Makes the calls, up to the first that fails, and returns that one. Where the process that makes
   * them was killed, that is a failure by `ENOMEM`: it takes no other signal than the kernel's.
   */
  async run(): Promise<BatchFailure | undefined> {
    if (this.isEmpty) return undefined;
    const { view } = this.#memory;
    // The last call goes on with the end of the walk; nothing else does.
    const last = recordOffset(this.#count - 1);
    for (const edge of [RECORD.onZero, RECORD.onSuccess]) {
      view.setInt32(last + edge, this.#end, true);
    }
    this.#endSkips();
    await this.#engine.runInPool(this.#memory);
    const errno = view.getUint32(HEADER.failedWith, true);
    if (errno === 0 && !this.#wasKilled) return undefined;
    const index = errno === 0
      ? this.#lastMade()
      : (view.getUint32(HEADER.failedAt, true) - HEADER.size) / RECORD.size;
    return { index, name: this.#names[index]!, errno: errno === 0 ? ERRNO.ENOMEM : errno };
  }

  /** What the call returned: a negative errno if it was accepted; `undefined` if it was not made. */
  result(index: number): number | undefined {
    const value = this.#memory.view.getBigInt64(resultOffset(index), true);
    return value === PENDING ? undefined : Number(value);
  }

  /** Takes all calls out. */
  clear(): void {
    this.#kept.clear();
    this.#data = this.#memory.size;
    this.#count = 0;
    if (this.#namespace !== undefined) this.#enclose(this.#namespace);
  }

  /** Frees its memory. It must not run. */
  [Symbol.dispose](): void {
    this.#engine.release(this.#memory);
  }

  /** The number of the first call, after those that make the process. */
  get #first(): number {
    return this.#namespace === undefined ? 0 : CHILD.first;
  }

  /** Where the walk ends: the process that made the calls has to end. */
  get #end(): number {
    return this.#namespace === undefined ? 0 : recordOffset(CHILD.exit);
  }

  /**
   * The script's thread makes a process that shares its memory and its descriptors, and waits for
   * its end. That process joins the namespace, which a process with threads cannot. It has no
   * signals, as their handlers would run in the memory that is shared.
   */
  #enclose(namespace: number): void {
    const all = this.bytes(new Uint8Array(MASK_SIZE).fill(0xff));
    const old = this.output(MASK_SIZE);
    this.#names.length = 0;
    this.#count = 0;
    this.add("rt_sigprocmask", [SIG_SETMASK, all, old, MASK_SIZE]);
    const child = this.add("clone", [CLONE_VM | CLONE_VFORK | CLONE_FILES]);
    this.#status = this.output(8);
    this.add("wait4", [new BatchResult(child), this.#status, WALL, 0]);
    this.add("rt_sigprocmask", [SIG_SETMASK, old, 0, MASK_SIZE]);
    this.add("setns", [namespace, CLONE_NEWUSER]);
    this.add("exit", [0]);
    const { view } = this.#memory;
    view.setInt32(recordOffset(child) + RECORD.onZero, recordOffset(CHILD.setns), true);
    // Without a process the mask is restored all the same.
    view.setInt32(recordOffset(child) + RECORD.onFailure, recordOffset(3), true);
    for (const edge of [RECORD.onZero, RECORD.onSuccess, RECORD.onFailure]) {
      view.setInt32(recordOffset(3) + edge, 0, true);
    }
    view.setInt32(recordOffset(2) + RECORD.onFailure, recordOffset(3), true);
    view.setInt32(recordOffset(0) + RECORD.onFailure, 0, true);
    view.setInt32(recordOffset(CHILD.setns) + RECORD.onZero, recordOffset(CHILD.first), true);
  }

  get #wasKilled(): boolean {
    return this.#namespace !== undefined && this.read(this.#status, 4).getUint32(0, true) !== 0;
  }

  /** The last call that has come back. */
  #lastMade(): number {
    let index = this.#count - 1;
    while (index > this.#first && this.result(index) === undefined) index--;
    return index;
  }

  /** What is left out after an accepted errno may be all that is left. */
  #endSkips(): void {
    const end = recordOffset(this.#count);
    const { view } = this.#memory;
    for (let index = this.#first; index < this.#count; index++) {
      const edge = recordOffset(index) + RECORD.onAccepted;
      if (view.getInt32(edge, true) >= end) view.setInt32(edge, this.#end, true);
    }
  }

  #reserve(size: number): number {
    const at = Math.floor((this.#data - size) / 8) * 8;
    if (at < recordOffset(this.#count) + RECORD.size) throw new RangeError("the batch is full");
    this.#data = at;
    return at;
  }

  #numberOf(name: SyscallName): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = syscallNumber(name, this.#architecture);
      this.#numbers.set(name, number);
    }
    return number;
  }
}

function writeNumber(view: DataView, at: number, value: number): void {
  view.setInt32(at, value | 0, true);
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
}

function acceptedBytes(names: readonly ErrnoName[] | undefined): bigint {
  let bytes = 0n;
  for (const name of names ?? []) bytes = bytes << 8n | BigInt(ERRNO[name]);
  return bytes;
}
