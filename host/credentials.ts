/**
 * The credentials of the calling thread that a plan depends on. See credentials(7).
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

/** The credentials of the calling thread. */
export interface Credentials {
  readonly euid: number;
  readonly egid: number;
  /** The inheritable capabilities, which include the ambient ones. */
  readonly inheritable: readonly CapabilityName[];
  /** Whether it may write any id map of its children: it has CAP_SETUID and CAP_SETGID. */
  readonly mayMapIds: boolean;
  /** Whether it may change its network: it has CAP_NET_ADMIN. */
  readonly mayChangeNetwork: boolean;
}

const [UID, GID, CAPABILITIES] = [geteuid(), getegid(), capabilityOutput()];
const QUERY = new Routine([], [{ call: UID }, { call: GID }, { call: capget(CAPABILITIES) }]);

/** Reads the credentials from the kernel. */
export class CurrentCredentials {
  #words: readonly number[] = [];
  #last: Credentials | undefined;

  /** Returns the credentials; the same object as before if they have not changed. */
  get(): Credentials {
    const result = QUERY.run();
    const view = result.output(CAPABILITIES);
    const words = [Number(result.result(UID)), Number(result.result(GID))];
    for (let at = 0; at < view.byteLength; at += 4) words.push(view.getUint32(at, true));
    if (this.#last !== undefined && words.every((word, at) => word === this.#words[at])) {
      return this.#last;
    }
    const { effective, inheritable } = readCapabilities(view);
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
