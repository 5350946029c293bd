/**
 * How a process is scheduled, where its memory lies, and how it sees the kernel. See
 * sched_setattr(2), ioprio_set(2), set_mempolicy(2) and personality(2).
 *
 * @module
 */

import { type Call, call, constant, flags, Named, type Pid, Struct } from "../call.ts";
import {
  IOPRIO_CLASSES,
  MPOL_FLAGS,
  MPOL_MODES,
  PERSONALITY_DOMAINS,
  PERSONALITY_FLAGS,
  SCHED_FLAGS,
  SCHED_POLICIES,
} from "./constants/scheduling.ts";

/** How a thread is scheduled: struct sched_attr. What is left out is 0. */
export interface SchedAttributes {
  readonly policy: number;
  readonly flags?: number;
  readonly nice?: number;
  readonly priority?: number;
  /** In nanoseconds, as those below. */
  readonly runtime?: number;
  readonly deadline?: number;
  readonly period?: number;
  readonly utilMin?: number;
  readonly utilMax?: number;
}

/** The size of struct sched_attr with the clamps of utilization, which Linux 5.3 has added. */
const SCHED_ATTR_SIZE = 56;

/** Sets how a thread is scheduled, the caller for 0. See sched_setattr(2). */
export function sched_setattr(thread: Pid, attributes: SchedAttributes): Call {
  const { policy, flags: bits = 0, ...numbers } = attributes;
  const { nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = numbers;
  const bytes = new Uint8Array(SCHED_ATTR_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SCHED_ATTR_SIZE, true);
  view.setUint32(4, policy, true);
  view.setBigUint64(8, BigInt(bits), true);
  view.setInt32(16, nice, true);
  view.setUint32(20, priority, true);
  [runtime, deadline, period].forEach((value, index) =>
    view.setBigUint64(24 + index * 8, BigInt(value), true)
  );
  view.setUint32(48, numbers.utilMin ?? 0, true);
  view.setUint32(52, numbers.utilMax ?? 0, true);
  const text = () => {
    const words = Object.entries(numbers).map(([name, value]) => `${name}=${value}`);
    const named = bits === 0 ? [] : [flags(bits, SCHED_FLAGS).text];
    return `{${[constant(policy, SCHED_POLICIES).text, ...named, ...words].join(", ")}}`;
  };
  return call("sched_setattr", thread, new Struct(bytes, text), 0);
}

/** Sets the class and the priority of a thread's input and output. See ioprio_set(2). */
export function ioprio_set(thread: Pid, priorityClass: number, priority: number): Call {
  const who = new Named(1, "IOPRIO_WHO_PROCESS");
  const value = new Named(
    priorityClass * 2 ** 13 + priority,
    () => `IOPRIO_PRIO_VALUE(${constant(priorityClass, IOPRIO_CLASSES).text}, ${priority})`,
  );
  return call("ioprio_set", who, thread, value);
}

/** Sets where the memory of a thread is taken from. See set_mempolicy(2). */
export function set_mempolicy(mode: number, flagBits: number, nodes: readonly number[]): Call {
  const named = new Named(
    mode + flagBits,
    () =>
      [constant(mode, MPOL_MODES), ...(flagBits === 0 ? [] : [flags(flagBits, MPOL_FLAGS)])]
        .map(({ text }) => text).join("|"),
  );
  if (nodes.length === 0) return call("set_mempolicy", named, null, 0);
  const mask = new Struct(bitMask(nodes), `[${nodes.join(" ")}]`);
  // The kernel takes one bit less than it is told.
  return call("set_mempolicy", named, mask, mask.size * 8 + 1);
}

/** Returns a mask of whole 64-bit words. */
export function bitMask(bits: readonly number[]): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(Math.ceil((Math.max(...bits) + 1) / 64) * 8);
  for (const bit of bits) mask[bit >> 3]! |= 1 << (bit & 7);
  return mask;
}

/** Sets how the process sees the kernel. See personality(2). */
export function personality(domain: number, flagBits: number): Call {
  const named = new Named(domain + flagBits, () =>
    [
      constant(domain, PERSONALITY_DOMAINS),
      ...(flagBits === 0 ? [] : [flags(flagBits, PERSONALITY_FLAGS)]),
    ].map(({ text }) => text).join("|"));
  return call("personality", named);
}
