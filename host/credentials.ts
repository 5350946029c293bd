/**
 * The credentials of the calling thread that a plan depends on. See credentials(7).
 *
 * @module
 */

import { call } from "../ffi/call.ts";
import { prlimit64, readRlimit, rlimitOutput, RLIMITS } from "../ffi/calls/limits.ts";
import {
  type CapabilityName,
  capabilityOutput,
  capget,
  getegid,
  geteuid,
  getgroups,
  groupsOutput,
  readCapabilities,
} from "../ffi/calls/users.ts";
import { ERRNO } from "../ffi/errno.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { Routine } from "../ffi/routine.ts";
import { syscalls } from "../ffi/syscalls.ts";

/** The credentials of the calling thread. */
export interface Credentials {
  readonly euid: number;
  readonly egid: number;
  /** The supplementary groups: none, no other than its own group, or others. */
  readonly groups: "none" | "own" | "others";
  /** The inheritable capabilities, which include the ambient ones. */
  readonly inheritable: readonly CapabilityName[];
  /** Whether it may write any id map of its children: it has CAP_SETUID and CAP_SETGID. */
  readonly mayMapIds: boolean;
  /**
   * Whether it may change its supplementary groups: it has CAP_SETGID, and setgroups(2) is not
   * denied in its user namespace.
   */
  readonly mayChangeGroups: boolean | "unknown";
  /** Whether it may change its network: it has CAP_NET_ADMIN. */
  readonly mayChangeNetwork: boolean;
  /** Whether it may have as many files open as programs usually may, 1024. */
  readonly mayOpenMany: boolean;
}

/** The soft limit of most systems, which Deno raises where it may. */
const USUAL_FILES = 1024n;

const [UID, GID, CAPABILITIES] = [geteuid(), getegid(), capabilityOutput()];
const GROUP_LIST = groupsOutput(64);
const GROUPS = getgroups(GROUP_LIST);
const FILES = rlimitOutput();
const QUERY = new Routine([], [
  { call: UID },
  { call: GID },
  // EINVAL: there are more.
  { call: GROUPS, accept: ["EINVAL"] },
  { call: capget(CAPABILITIES) },
  { call: prlimit64(0, RLIMITS.NOFILE, null, FILES) },
]);

/** Reads the credentials from the kernel. */
export class CurrentCredentials {
  /** The words of the capabilities of the last time. */
  #words: number[] = [];
  #last: Credentials | undefined;

  /** Returns the credentials; the same object as before if they have not changed. */
  get(): Credentials {
    const result = QUERY.run();
    const view = result.output(CAPABILITIES);
    const [euid, egid] = [Number(result.result(UID)), Number(result.result(GID))];
    const groups = groupsIn(result, egid);
    const mayOpenMany = readRlimit(result.output(FILES)).soft >= USUAL_FILES;
    const last = this.#last;
    // First, as it notes the capabilities whatever else has changed.
    const isSame = this.#hasSame(view) && last?.euid === euid && last.egid === egid &&
      last.groups === groups && last.mayOpenMany === mayOpenMany;
    if (isSame) return last;
    const { effective, inheritable } = readCapabilities(view);
    return this.#last = {
      euid,
      egid,
      groups,
      inheritable,
      mayOpenMany,
      mayChangeNetwork: effective.includes("CAP_NET_ADMIN"),
      mayMapIds: effective.includes("CAP_SETUID") && effective.includes("CAP_SETGID"),
      mayChangeGroups: effective.includes("CAP_SETGID") && mayCallSetgroups(),
    };
  }

  /** Whether the capabilities are those of the last time; notes them. */
  #hasSame(capabilities: DataView): boolean {
    let isSame = true;
    for (let at = 0; at < capabilities.byteLength; at += 4) {
      const word = capabilities.getUint32(at, true);
      if (this.#words[at] === word) continue;
      this.#words[at] = word;
      isSame = false;
    }
    return isSame;
  }
}

function groupsIn(result: RunResult, egid: number): Credentials["groups"] {
  const count = Number(result.result(GROUPS));
  if (count === 0) return "none";
  const list = result.output(GROUP_LIST);
  for (let index = 0; index < count; index++) {
    if (list.getUint32(index * 4, true) !== egid) return "others";
  }
  return count > 0 ? "own" : "others";
}

/** The most supplementary groups: NGROUPS_MAX of linux/limits.h. */
const MOST_GROUPS = 65536;

/**
 * Asks the kernel by a call that changes nothing: whether the process may set groups is checked
 * before their number, which is too high.
 */
function mayCallSetgroups(): boolean {
  const attempt = call("setgroups", MOST_GROUPS + 1, null);
  const accept = ["EPERM", "EINVAL"] as const;
  return syscalls([{ call: attempt, accept }]).result(attempt) === BigInt(-ERRNO.EINVAL);
}
