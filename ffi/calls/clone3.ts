/**
 * The newer form of clone(2), which can reset signal handlers, and create a process in a cgroup. See
 * clone3(2).
 *
 * @module
 */

import { type Call, call, flags, type Output, type ShowSlot, type Slot, Struct } from "../call.ts";
import { CLONE_PARENT, CLONE_PARENT_SETTID } from "./constants/namespaces.ts";
import { CLONE_FLAGS } from "./names/namespaces.ts";
import { SIGNALS } from "./constants/signals.ts";

/** Resets every signal that has a handler; ignored signals stay ignored. Linux 5.5. */
export const CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
/** Creates the child in the cgroup of a descriptor. Linux 5.7. */
const CLONE_INTO_CGROUP = 0x2_0000_0000;

const FLAGS = { ...CLONE_FLAGS, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP };

/** Offsets in struct clone_args (linux/sched.h), in the version that has a cgroup. */
const ARGS = { flags: 0, parentTid: 24, exitSignal: 32, cgroup: 80, size: 88 } as const;

/**
 * Creates a child that starts with the calling thread's stack pointer and sends SIGCHLD when it ends;
 * with the directory of a cgroup of version 2, in that cgroup. Its pid is stored.
 */
export function clone3(flagBits: number, stored: Output, cgroup?: Slot): Call {
  const bits = flagBits + CLONE_PARENT_SETTID + (cgroup === undefined ? 0 : CLONE_INTO_CGROUP);
  // With CLONE_PARENT the child sends the caller's exit signal, and the kernel accepts no other.
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
 * A call that always fails: with `EINVAL` if {@linkcode clone3} is supported, with `E2BIG` before
 * Linux 5.7, and with `ENOSYS` before Linux 5.3 or if a seccomp filter hides it.
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
