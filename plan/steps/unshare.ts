/**
 * Lowers the step `unshare`.
 *
 * @module
 */

import { at_fdcwd } from "../../ffi/calls/files.ts";
import { AT_RECURSIVE, mount_setattr, MS_PRIVATE, MS_SLAVE } from "../../ffi/calls/mounts.ts";
import { CLONE_NEWTIME, unshare } from "../../ffi/calls/namespaces.ts";
import { setgroups } from "../../ffi/calls/users.ts";
import { CLONE_FLAG, type NamespaceKind } from "../../recipe/namespaces.ts";
import type { UnshareStep } from "../../recipe/steps/unshare.ts";
import type { PlanBuilder } from "../builder.ts";
import { refuseForUsers } from "../users_box.ts";
import { namespaceFixes } from "../namespace_fixes.ts";
import { keepParentNetns } from "../network.ts";
import { setUpNetworkService } from "../network_service.ts";
import { enterTime } from "../time_namespace.ts";

/** Lowers `unshare`. */
export function lowerUnshare(step: UnshareStep, plan: PlanBuilder): void {
  const kinds = new Set(step.kinds);
  if (!kinds.has("user")) refuseForUsers("make these", plan);
  if (kinds.has("pid")) plan.needsHostPids();
  if (kinds.has("user")) {
    requireMappedIds(plan);
    dropScriptGroups(plan);
  }
  if (kinds.has("net")) keepParentNetns(plan);
  if (kinds.has("mount")) plan.directories.leaveMountNamespace();
  enterNamespaces(kinds, plan);
  plan.state.unshares(kinds);
  if (kinds.has("mount")) {
    const receives = step.propagation === "slave";
    const propagation = receives ? MS_SLAVE : MS_PRIVATE;
    plan.call(mount_setattr(at_fdcwd, "/", AT_RECURSIVE, { propagation }), {
      fixes: () => ({ ...plan.state.mountFixes, EINVAL: ROOT_IS_NO_MOUNT }),
    });
    plan.state.receivesMounts = receives;
    plan.access.recordMountNamespace(receives);
  }
  if (kinds.has("net")) setUpNetworkService(plan);
}

const ROOT_IS_NO_MOUNT =
  "the root of this script is a plain directory, as in a chroot; bind it onto itself before it is " +
  "entered (mount --bind DIRECTORY DIRECTORY)";

/**
 * Drops the script's supplementary groups before the user namespace is made, as setgroups(2) may be
 * denied in there, and they count on the host's files all the same. A script that may not drop them
 * is that of an ordinary user, whose program may do what the user may.
 */
function dropScriptGroups(plan: PlanBuilder): void {
  const { state, cursor } = plan;
  if (state.inUserNamespace || !state.hasScriptGroups) return;
  // The own group alone gives nothing to a program that stays in it, and mapIds() may move it.
  if (state.caller.groups === "own" && !cursor.comesLater("mapIds")) return;
  // A box does not know whether its caller may.
  const isCertain = state.caller.mayChangeGroups === true;
  plan.callBefore(setgroups([]), isCertain ? {} : { accept: ["EPERM"] });
  state.groupsChanged = true;
}

/** Only a user with an id can make a user namespace (user_namespaces(7)). */
function requireMappedIds(plan: PlanBuilder): void {
  if (!plan.state.unshared.has("user") || plan.state.idsMapped) return;
  plan.refuse("the ids of the user namespace before it have to be mapped first: mapRoot()");
}

function enterNamespaces(kinds: ReadonlySet<NamespaceKind>, plan: PlanBuilder): void {
  let flags = 0;
  // CLONE_NEWTIME cannot be used with clone(2): its bit is one of the exit signal (clone(2)).
  for (const kind of kinds) if (kind !== "time") flags |= CLONE_FLAG[kind];
  const fixes = namespaceFixes(kinds, plan.host, plan.state.inUserNamespace);
  if (plan.untouched) plan.cloneWith(flags, kinds);
  else if (flags !== 0) {
    plan.call(unshare(flags), { fixes });
    // Only children of this process are in the new pid namespace (pid_namespaces(7)).
    if (kinds.has("pid")) plan.fork("exit");
  }
  if (!kinds.has("time")) return;
  plan.call(unshare(CLONE_NEWTIME), { fixes });
  enterTime(plan);
}
