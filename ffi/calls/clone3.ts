/**
 * The newer form of clone(2), which can reset signals, and make a process in a control group. See
 * clone3(2).
 *
 * @module
 */

import { type Call, call, flags, type Output, type ShowSlot, type Slot, Struct } from "../call.ts";
import { CLONE_FLAGS, CLONE_PARENT, CLONE_PARENT_SETTID } from "./constants/namespaces.ts";
import { SIGNALS } from "./constants/signals.ts";

/** Resets every signal that has a handler; what is ignored stays ignored. Linux 5.5. */
export const CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
/** Makes the child in the control group of a descriptor. Linux 5.7. */
export const CLONE_INTO_CGROUP = 0x2_0000_0000;

const FLAGS = { ...CLONE_FLAGS, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP };

/** Offsets in struct clone_args (linux/sched.h), as it is since it has a control group. */
const ARGS = { flags: 0, parentTid: 24, exitSignal: 32, cgroup: 80, size: 88 } as const;

/**
 * Makes a child that begins with the calling thread's stack pointer and tells its end by SIGCHLD;
 * with the directory of a control group of version 2, in that group. Its pid is stored.
 */
export function clone3(flagBits: number, stored: Output, cgroup?: Slot): Call {
  const bits = flagBits + CLONE_PARENT_SETTID + (cgroup === undefined ? 0 : CLONE_INTO_CGROUP);
  // A sibling of its maker tells its end as that does, and the kernel will not be told how.
  const signal = (flagBits & CLONE_PARENT) === 0 ? SIGNALS.SIGCHLD : 0;
  const args = argsOf(BigInt(bits), signal, 0);
  const exit = signal === 0 ? "" : ", exit_signal=SIGCHLD";
  const group = (show: ShowSlot) => cgroup === undefined ? "" : `, cgroup=${show(cgroup)}`;
  const text = (show: ShowSlot) => `{flags=${flags(bits, FLAGS).text}${exit}${group(show)}}`;
  const cells = cgroup === undefined ? [] : [{ offset: ARGS.cgroup, slot: cgroup }];
  const struct = new Struct(args, text, [{ offset: ARGS.parentTid, to: stored }], cells);
  return call("clone3", struct, ARGS.size);
}

/**
 * A call that fails always: with `EINVAL` where {@linkcode clone3} would be understood, with
 * `E2BIG` before Linux 5.7, and with `ENOSYS` before Linux 5.3 or where a filter hides it.
 */
export function clone3Probe(): Call {
  const unknownFlag = 1n << 63n;
  return call("clone3", new Struct(argsOf(unknownFlag, 0, 1), "{flags=1<<63}"), ARGS.size);
}

function argsOf(flagBits: bigint, exitSignal: number, cgroup: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ARGS.size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(ARGS.flags, flagBits, true);
  view.setUint32(ARGS.exitSignal, exitSignal, true);
  view.setInt32(ARGS.cgroup, cgroup, true);
  return bytes;
}
