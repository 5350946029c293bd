/**
 * The user, groups and capabilities of a container that joins a process or a user namespace.
 *
 * @module
 */

import { type Fd, ResultOf } from "../ffi/call.ts";
import { O_CLOEXEC, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { namespaceIoctl, NS_GET_PARENT, setns } from "../ffi/calls/namespaces.ts";
import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_GET_SECUREBITS,
  PR_SET_DUMPABLE,
  PR_SET_SECUREBITS,
  prctl,
  SECBIT_NO_SETUID_FIXUP,
} from "../ffi/calls/processes.ts";
import {
  CAPABILITIES,
  type CapabilityName,
  capset,
  setgroups,
  setresgid,
  setresuid,
} from "../ffi/calls/users.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { JoinTarget } from "../host/host.ts";
import type { ProcessCapabilities, ProcessUser } from "../host/process_user.ts";
import { CLONE_FLAG } from "../recipe/namespaces.ts";
import type { PlanBuilder } from "./builder.ts";
import type { PlannedState } from "./planned_state.ts";

/** Which user is taken: see `credentials` of the step `join`. */
export type TakenUser = "root" | "process" | "keep";

/**
 * Drops the script's supplementary groups before a user namespace is joined, as nsenter(1) does:
 * setgroups(2) may be denied in there, and they count on the host's files all the same.
 */
export function leaveGroups(plan: PlanBuilder): void {
  if (!plan.state.hasScriptGroups) return;
  // A box does not know whether its caller may.
  const isCertain = plan.state.caller.mayChangeGroups === true;
  plan.call(setgroups([]), isCertain ? { fixes: CHANGE } : { accept: ["EPERM"] });
  plan.state.groupsChanged = true;
}

/**
 * Whether the process has dropped groups that an ordinary user's script still has, and would give to
 * the container: `mapCurrentUser({ dropGroups: true })`, with another user namespace in it.
 */
export function hasDroppedGroups(
  { user, setgroupsDenied }: JoinTarget,
  { caller, groupsChanged, hasScriptGroups }: PlannedState,
): boolean {
  return setgroupsDenied && user?.hasNoGroups === true && caller.euid !== 0 &&
    caller.groups === "others" && !groupsChanged && !hasScriptGroups;
}

/** Drops the groups as that process did: in the user namespace around its own. */
export function dropGroupsAround(process: Fd, plan: PlanBuilder): void {
  const fixes = { EPERM: PARENT_IS_OTHER };
  const own = plan.open(openat(process, "ns/user", O_RDONLY | O_CLOEXEC), "<user namespace>");
  const around = plan.open(namespaceIoctl(own, NS_GET_PARENT), "<the one around it>", { fixes });
  plan.call(setns(around, CLONE_FLAG.user), { fixes });
  becomeUndumpable(plan);
  plan.call(setgroups([]), { fixes });
  plan.state.groupsChanged = true;
  for (const fd of [own, around]) plan.release(fd);
}

const PARENT_IS_OTHER =
  "the process has no supplementary groups, and the script cannot drop its own as that did; run the " +
  "script without groups, as setpriv --clear-groups does";

/** Takes the user in the user namespace of a process, which has been joined. */
export function takeUserInside(
  plan: PlanBuilder,
  { user, setgroupsDenied }: JoinTarget,
  taken: TakenUser,
): void {
  becomeUndumpable(plan);
  if (taken === "keep" || user === undefined) return;
  const isOwn = isScripts(user, plan.state);
  const { uid, gid, groups } = taken === "process" ? user : rootOf(user);
  if ((uid === undefined || gid === undefined) && !isOwn && plan.state.caller.mayMapIds) {
    plan.refuse(
      "the user of the process is not mapped in its user namespace, and the container would stay " +
        "the script's user on the host's files; pass { credentials: \"keep\" } for that",
    );
  }
  const mayKeepGroups = isOwn || hasNoPrivilegedGroups(plan.state);
  if (setgroupsDenied && !mayKeepGroups) {
    plan.refuse(
      "setgroups(2) is denied in the user namespace, and the script's groups cannot be dropped " +
        "before without CAP_SETGID; run the script without groups, as setpriv --clear-groups does",
    );
  }
  if (!setgroupsDenied) {
    plan.call(setgroups(groups), { accept: mayKeepGroups ? ["EPERM"] : [], fixes: CHANGE });
  }
  if (gid !== undefined) changeGroup(plan, gid);
  // The script's own user is the same in there.
  if (uid !== undefined && !(isOwn && uid === user.uid)) changeUser(plan, uid);
  if (uid !== undefined && gid !== undefined) plan.state.ids = { uid, gid };
  if (taken === "process") takeCapabilities(plan, user.capabilities);
}

/** Takes the user of a process in the script's own user namespace. */
export function takeUserOutside(plan: PlanBuilder, { user }: JoinTarget): void {
  // Every id that the script sees has a number in its own user namespace.
  const [uid, gid, { groups }] = [user!.uid!, user!.gid!, user!];
  const { state } = plan;
  plan.access.recordIds({ uid, gid, groups });
  if (state.caller.mayChangeGroups) {
    plan.call(setgroups(groups), { fixes: CHANGE });
    state.groupsChanged = true;
  }
  if (gid !== (state.ids?.gid ?? state.caller.egid)) changeGroup(plan, gid);
  if (!isScripts(user!, state)) changeUser(plan, uid);
  state.ids = { uid, gid };
  takeCapabilities(plan, user!.capabilities);
}

/** Becomes root of a user namespace whose maps are not known. */
export function takeRoot(plan: PlanBuilder, taken: TakenUser): void {
  becomeUndumpable(plan);
  if (taken === "keep") return;
  const { state } = plan;
  plan.call(setgroups([]), { accept: hasNoPrivilegedGroups(state) ? ["EPERM"] : [] });
  // EINVAL: root is not mapped. The user of an ordinary script is the one who has made it then; a
  // box may be run by root, who would stay the host's.
  const options = state.caller.mayMapIds || !plan.host.isHere
    ? { fixes: { EINVAL: NO_ROOT } }
    : { accept: ["EINVAL"] as const };
  plan.call(setresgid(0, 0, 0), options);
  plan.call(setresuid(0, 0, 0), options);
  becomeUndumpable(plan);
  state.ids = { uid: 0, gid: 0 };
}

const NO_ROOT =
  "root is not mapped in this user namespace: join a process of it in place of the file, to become " +
  'its user, or pass { credentials: "keep" }';

const CHANGE: Fixes = {
  EPERM: "to become another user takes CAP_SETUID, CAP_SETGID and CAP_SETPCAP",
};

function rootOf({ uid, gid, root }: ProcessUser): Pick<ProcessUser, "uid" | "gid" | "groups"> {
  return { uid: root.uid ? 0 : uid, gid: root.gid ? 0 : gid, groups: [] };
}

/** Whether a process is of the script's user. */
export function isScripts(
  { outside }: ProcessUser,
  { ids, inUserNamespace, caller }: PlannedState,
): boolean {
  return outside === (inUserNamespace ? caller.euid : ids?.uid ?? caller.euid);
}

/** Whether the process has no groups, or those of an ordinary user, who may enter own places only. */
function hasNoPrivilegedGroups({ groupsChanged, caller }: PlannedState): boolean {
  return groupsChanged || caller.groups === "none" || caller.euid !== 0;
}

function changeGroup(plan: PlanBuilder, gid: number): void {
  plan.call(setresgid(gid, gid, gid), { fixes: CHANGE });
  becomeUndumpable(plan);
}

/**
 * Changes the user, and keeps the capabilities for later steps; execve(2) takes those of a user who
 * is not root, but for the ambient ones.
 */
function changeUser(plan: PlanBuilder, uid: number): void {
  const change = () => {
    plan.call(setresuid(uid, uid, uid), { fixes: CHANGE });
    becomeUndumpable(plan);
  };
  if (uid === 0) return change();
  const bits = new ResultOf(plan.call(prctl(PR_GET_SECUREBITS)), "securebits");
  plan.call(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), { fixes: CHANGE });
  change();
  plan.call(prctl(PR_SET_SECUREBITS, bits), { fixes: CHANGE });
  plan.call(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL));
}

/** Limits the program to the capabilities of the process, after the steps, which may need more. */
function takeCapabilities(
  plan: PlanBuilder,
  { lost, permitted, ambient, areAll }: ProcessCapabilities,
): void {
  const bounding = ALL.filter((name) => !lost.includes(name));
  if (lost.length > 0) plan.state.capabilities.limit({ bounding });
  for (const name of lost) {
    // An older kernel does not know the numbers of newer capabilities.
    plan.beforeExec(prctl(PR_CAPBSET_DROP, CAPABILITIES[name]), FEWER, ["EINVAL"]);
  }
  if (areAll) return;
  plan.state.capabilities.limit({ permitted, ambient });
  plan.beforeExec(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL));
  plan.beforeExec(capset({ permitted, effective: permitted, inheritable: ambient }), FEWER);
  for (const name of ambient) {
    plan.beforeExec(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAPABILITIES[name]), FEWER);
  }
}

const ALL = Object.keys(CAPABILITIES) as CapabilityName[];

const FEWER: Fixes = {
  EPERM: "the script has fewer capabilities than the process, or lacks CAP_SETPCAP to drop some",
};

/** A change of credentials has set this to the value of the sysctl fs.suid_dumpable (prctl(2)). */
function becomeUndumpable(plan: PlanBuilder): void {
  plan.call(prctl(PR_SET_DUMPABLE, 0));
}
