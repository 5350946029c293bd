/**
 * The newer form of clone(2), which can make a process in a control group. See clone3(2).
 *
 * @module
 */

import { type Call, call, flags, type Named, type Output, Struct } from "../call.ts";
import { CLONE_FLAGS, CLONE_PARENT, CLONE_PARENT_SETTID } from "./constants/namespaces.ts";
import { SIGNALS } from "./constants/signals.ts";

/** Makes the child in the control group of a descriptor. Linux 5.7. */
export const CLONE_INTO_CGROUP = 0x2_0000_0000;

/** Offsets in struct clone_args (linux/sched.h), as it is since it has a control group. */
const ARGS = { flags: 0, parentTid: 24, exitSignal: 32, cgroup: 80, size: 88 } as const;

/**
 * Makes a child that begins with the calling thread's stack pointer, tells its end by SIGCHLD, and
 * is in the control group of version 2 whose folder the descriptor is. Its pid is stored.
 */
export function cloneInto(flagBits: number, stored: Output, cgroup: Named): Call {
  const bits = (flagBits | CLONE_PARENT_SETTID) >>> 0;
  // A sibling of its maker tells its end as that does, and the kernel will not be told how.
  const signal = (flagBits & CLONE_PARENT) === 0 ? SIGNALS.SIGCHLD : 0;
  const args = argsOf(BigInt(bits) + BigInt(CLONE_INTO_CGROUP), signal, Number(cgroup.value));
  const named = flags(bits + CLONE_INTO_CGROUP, { ...CLONE_FLAGS, CLONE_INTO_CGROUP }).text;
  const exit = signal === 0 ? "" : ", exit_signal=SIGCHLD";
  const text = `{flags=${named}${exit}, cgroup=${cgroup.text}}`;
  const struct = new Struct(args, text, [{ offset: ARGS.parentTid, to: stored }]);
  return call("clone3", struct, ARGS.size);
}

/**
 * A call that fails always: with `EINVAL` where {@linkcode cloneInto} would be understood, with
 * `E2BIG` before Linux 5.7, and with `ENOSYS` before Linux 5.3 or where a filter hides it.
 */
export function cloneIntoProbe(): Call {
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
