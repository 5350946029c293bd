/**
 * Filters that tell a listener of calls, which then are made or denied as by the filter that they are
 * made of. See seccomp_unotify(2).
 *
 * @module
 */

import { type Call, Named } from "../call.ts";
import type { Architecture } from "../syscall_numbers.ts";
import { BPF, INSTRUCTION_SIZE, MOST_INSTRUCTIONS } from "./bpf.ts";
import { AUDIT_ARCH, SECCOMP_RET } from "./filter.ts";

/** The part of a returned value that is the action, and the rest. */
const [ACTION_BITS, DATA_BITS] = [0xffff_0000, 0xffff];

/** Offsets in struct seccomp_data: the lower half of the sixth argument is the last. */
const [NUMBER, ARCHITECTURE, SIXTH] = [0, 4, 56];

/**
 * What calls that take less have as their sixth argument, so that no listener is asked: the launch's
 * own, for which the script waits. Whoever makes a call so hides it from a report, and gains nothing.
 */
const UNOBSERVED = new Named(0x7261_6d6b, "UNOBSERVED");

/** Returns the call, to be made without asking a listener. */
export function unobserved(call: Call): Call {
  const { args } = call;
  return { ...call, args: [...args, ...Array(5 - args.length).fill(0), UNOBSERVED] };
}

/**
 * Returns a filter that asks a listener about all calls that this one denies with an errno, and about
 * those with these numbers, but for calls that are {@linkcode unobserved}. Nobody else can let them pass: without a listener they fail (`ENOSYS`).
 *
 * @throws {RangeError} where the kernel takes no filter of that length
 */
export function observing(
  filter: Uint8Array<ArrayBuffer>,
  numbers: readonly number[],
  architecture: Architecture,
): Uint8Array<ArrayBuffer> {
  const asked = filter.slice();
  const view = new DataView(asked.buffer);
  const denials = new Map<number, number>();
  for (let at = 0; at < asked.length; at += INSTRUCTION_SIZE) {
    const value = view.getUint32(at + 4, true);
    if (view.getUint16(at, true) !== BPF.return) continue;
    if (actionOf(value) !== SECCOMP_RET.ERRNO) continue;
    let end = denials.get(value);
    if (end === undefined) {
      denials.set(value, end = asked.length + denials.size * DENIAL_WORDS * INSTRUCTION_SIZE);
    }
    view.setUint16(at, BPF.jump, true);
    view.setUint32(at + 4, (end - at) / INSTRUCTION_SIZE - 1, true);
  }
  const parts = [
    numbersHead(numbers, architecture),
    asked,
    ...Array.from(denials.keys(), denialEnd),
  ];
  const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  if (whole.length <= MOST_INSTRUCTIONS * INSTRUCTION_SIZE) return whole;
  throw new RangeError(`with what is observed, it has more than ${MOST_INSTRUCTIONS} instructions`);
}

/** How many instructions {@linkcode denialEnd} has. */
const DENIAL_WORDS = 4;

/** The instructions that ask the listener of a call that is denied with a value, or deny it. */
function denialEnd(value: number): Uint8Array {
  return bytesOf([
    [BPF.load, 0, 0, SIXTH],
    [BPF.equal, 0, 1, Number(UNOBSERVED.value)],
    [BPF.return, 0, 0, value],
    [BPF.return, 0, 0, SECCOMP_RET.USER_NOTIF],
  ]);
}

/** The instructions that find one of the numbers and ask the listener, or go on behind them. */
function numbersHead(numbers: readonly number[], architecture: Architecture): Uint8Array {
  return bytesOf([
    [BPF.load, 0, 0, ARCHITECTURE],
    // A branch reaches 255 instructions, so each comparison has its own return.
    [BPF.equal, 1, 0, AUDIT_ARCH[architecture]],
    [BPF.jump, 0, 0, 4 + numbers.length * 2],
    [BPF.load, 0, 0, SIXTH],
    [BPF.equal, 0, 1, Number(UNOBSERVED.value)],
    [BPF.jump, 0, 0, 1 + numbers.length * 2],
    [BPF.load, 0, 0, NUMBER],
    ...numbers.flatMap((number): Word[] => [
      [BPF.equal, 0, 1, number],
      [BPF.return, 0, 0, SECCOMP_RET.USER_NOTIF],
    ]),
  ]);
}

/** A struct sock_filter: its code, where it goes on if it holds and if not, and its value. */
type Word = readonly [code: number, holds: number, fails: number, value: number];

function bytesOf(words: readonly Word[]): Uint8Array {
  const bytes = new Uint8Array(words.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  words.forEach(([code, holds, fails, value], index) => {
    const at = index * INSTRUCTION_SIZE;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, holds);
    view.setUint8(at + 3, fails);
    view.setUint32(at + 4, value, true);
  });
  return bytes;
}

/** What a filter answers about a call. */
export type FilterAnswer =
  /** The call is made. */
  | { readonly passes: true }
  /** It fails with this errno. */
  | { readonly passes: false; readonly errno: number };

/** EPERM, for what an answer cannot do. */
const EPERM = 1;

/**
 * Returns what a filter answers, by the struct seccomp_data of the call: what the kernel would do
 * without a listener. What would end the process fails instead.
 */
export function answerOf(filter: Uint8Array<ArrayBuffer>, data: DataView): FilterAnswer {
  const value = run(new DataView(filter.buffer, filter.byteOffset, filter.length), data);
  const action = actionOf(value);
  if (action === SECCOMP_RET.ALLOW || action === SECCOMP_RET.LOG) return { passes: true };
  return { passes: false, errno: action === SECCOMP_RET.ERRNO ? value & DATA_BITS : EPERM };
}

function actionOf(value: number): number {
  return (value & ACTION_BITS) >>> 0;
}

/** Runs a filter, as bpf_prog_run() of the kernel does, and returns its value. */
function run(filter: DataView, data: DataView): number {
  let accumulator = 0;
  for (let at = 0;; at += INSTRUCTION_SIZE) {
    const code = filter.getUint16(at, true), value = filter.getUint32(at + 4, true);
    if (code === BPF.return) return value;
    if (code === BPF.load) accumulator = data.getUint32(value, true);
    else if (code === BPF.constant) accumulator = value;
    else if (code === BPF.and) accumulator = (accumulator & value) >>> 0;
    else if (code === BPF.jump) at += value * INSTRUCTION_SIZE;
    else at += filter.getUint8(at + (holds(code, accumulator, value) ? 2 : 3)) * INSTRUCTION_SIZE;
  }
}

function holds(code: number, accumulator: number, value: number): boolean {
  if (code === BPF.equal) return accumulator === value;
  if (code === BPF.greater) return accumulator > value;
  if (code === BPF.greaterOrEqual) return accumulator >= value;
  throw new TypeError(`no filter of this project has the instruction 0x${code.toString(16)}`);
}
