/**
 * The calls that change the user and groups of a process, and the fixes for their errors.
 *
 * @module
 */

import type { Call, Slot } from "../ffi/call.ts";
import { setgroups, setresgid, setresuid } from "../ffi/calls/users.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { PlannedState } from "./planned_state.ts";

/** New ids of a process; those that are left out stay as they are. */
export interface NewIds {
  readonly uid?: number | Slot | undefined;
  readonly gid?: number | Slot | undefined;
  readonly groups?: readonly number[] | undefined;
  /** Whether the groups stay as they are. */
  readonly keepGroups?: boolean | undefined;
}

/** Returns the calls, the user last: without root's id the others would be denied. */
export function changeIds(
  { uid, gid, groups = [], keepGroups = false }: NewIds,
  { setgroupsDenied, inUserNamespace }: PlannedState,
): { readonly call: Call; readonly fixes: Fixes }[] {
  const calls: { readonly call: Call; readonly fixes: Fixes }[] = [];
  const add = (call: Call, denied: string) => {
    const unmapped = inUserNamespace
      ? "the id is not mapped into the user namespace; mapIds() maps more than one"
      : undefined;
    calls.push({ call, fixes: { EPERM: denied, EINVAL: unmapped } });
  };
  if (!setgroupsDenied && !keepGroups) {
    add(
      setgroups(groups),
      "setgroups(2) is denied, or needs CAP_SETGID; in a user namespace: " +
        'mapIds({ setgroups: "allow" })',
    );
  }
  if (gid !== undefined) {
    add(
      setresgid(gid, gid, gid),
      "changing the group needs CAP_SETGID: a recipe of root, or mapRoot()",
    );
  }
  if (uid !== undefined) {
    add(
      setresuid(uid, uid, uid),
      "changing the user needs CAP_SETUID: a recipe of root, or mapRoot()",
    );
  }
  return calls;
}
