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
import { Routine } from "../ffi/routine.ts";

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

const [UID, GID, CAPABILITIES] = [geteuid(), getegid(), capabilityOutput()];
const ASKING = new Routine([], [{ call: UID }, { call: GID }, { call: capget(CAPABILITIES) }]);

/** Asks the kernel; answers what it has answered last, if nothing has changed since. */
export class CurrentCredentials {
  #words: readonly number[] = [];
  #last: Credentials | undefined;

  /** The same object, as long as the identity is the same. Needs the permission to use FFI. */
  get(): Credentials {
    const result = ASKING.run();
    const told = result.output(CAPABILITIES);
    const words = [Number(result.result(UID)), Number(result.result(GID))];
    for (let at = 0; at < told.byteLength; at += 4) words.push(told.getUint32(at, true));
    if (this.#last !== undefined && words.every((word, at) => word === this.#words[at])) {
      return this.#last;
    }
    const { effective, inheritable } = readCapabilities(told);
    this.#words = words;
    return this.#last = {
      euid: words[0]!,
      egid: words[1]!,
      inheritable,
      mayChangeNetwork: effective.includes("CAP_NET_ADMIN"),
      mayMapIds: effective.includes("CAP_SETUID") && effective.includes("CAP_SETGID"),
    };
  }
}
