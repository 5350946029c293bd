/**
 * The identity of the calling process: what a plan has to know of it. See credentials(7).
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
export interface Credentials {
  readonly euid: number;
  readonly egid: number;
  /** The capabilities that it passes on to programs, or some of them. */
  readonly inheritable: readonly CapabilityName[];
  /** Whether it may write any id map of its children: CAP_SETUID and CAP_SETGID, effective. */
  readonly mayMapIds: boolean;
  /** Whether it may change its network: CAP_NET_ADMIN, effective. */
  readonly mayChangeNetwork: boolean;
}

/** Asks the kernel. Needs the permission to use FFI. */
export function currentCredentials(): Credentials {
  const [uid, gid, capabilities] = [geteuid(), getegid(), capabilityOutput()];
  const result = syscalls([{ call: uid }, { call: gid }, { call: capget(capabilities) }]);
  const { effective, inheritable } = readCapabilities(result.output(capabilities));
  return {
    euid: Number(result.result(uid)),
    egid: Number(result.result(gid)),
    inheritable,
    mayChangeNetwork: effective.includes("CAP_NET_ADMIN"),
    mayMapIds: effective.includes("CAP_SETUID") && effective.includes("CAP_SETGID"),
  };
}

/** Whether two identities are the same. */
export function sameCredentials(one: Credentials, other: Credentials): boolean {
  return one.euid === other.euid && one.egid === other.egid &&
    one.mayMapIds === other.mayMapIds && one.mayChangeNetwork === other.mayChangeNetwork &&
    one.inheritable.join() === other.inheritable.join();
}
