/**
 * Who runs a recipe: what a plan has to know of the calling process.
 *
 * @module
 */

import {
  type CapabilityName,
  capabilityOutput,
  capget,
  getegid,
  geteuid,
  readCapabilities,
} from "../ffi/calls/users.ts";
import { syscalls } from "../ffi/syscalls.ts";

/** The identity of the calling thread. */
export interface Caller {
  readonly euid: number;
  readonly egid: number;
  /** What it passes on to programs, or some of it. */
  readonly inheritable: readonly CapabilityName[];
  /** Whether it may write any id map of its children: CAP_SETUID and CAP_SETGID, effective. */
  readonly mayMapIds: boolean;
  /** Whether it may change its network: CAP_NET_ADMIN, effective. */
  readonly mayChangeNetwork: boolean;
}

/** Asks the kernel, and so for the permission to use FFI. */
export function callerOf(): Caller {
  const [uid, gid, capabilities] = [geteuid(), getegid(), capabilityOutput()];
  const outcome = syscalls([{ call: uid }, { call: gid }, { call: capget(capabilities) }]);
  const { effective, inheritable } = readCapabilities(outcome.output(capabilities));
  return {
    euid: Number(outcome.result(uid)),
    egid: Number(outcome.result(gid)),
    inheritable,
    mayChangeNetwork: effective.includes("CAP_NET_ADMIN"),
    mayMapIds: effective.includes("CAP_SETUID") && effective.includes("CAP_SETGID"),
  };
}
