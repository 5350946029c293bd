/**
 * Lowers the steps `mapRoot`, `mapCurrentUser` and `mapIds`.
 *
 * @module
 */

import { type Call, type Fd, type Output, ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_DIRECTORY, O_PATH, openat } from "../../ffi/calls/files.ts";
import { setgroups } from "../../ffi/calls/users.ts";
import { writeText } from "../../ffi/calls/write_text.ts";
import { subordinateGroup } from "../../host/subordinate_ids.ts";
import { type IdRange, imageOf } from "../../recipe/steps/id_range.ts";
import {
  type MapCurrentUserStep,
  type MapIdsStep,
  type MapRootStep,
  mapText,
} from "../../recipe/steps/id_maps.ts";
import type { PlanBuilder } from "../builder.ts";
import { changeIds } from "../change_ids.ts";
import { appArmor } from "../fixes.ts";
import type { ParentCall, ParentPid } from "../parent_work.ts";
import type { PlannedState } from "../planned_state.ts";
import { writeProcFile } from "../proc_file.ts";

/** Lowers `mapRoot`. */
export function lowerMapRoot(_step: MapRootStep, plan: PlanBuilder): void {
  mapOwnIds(plan, 0, 0);
}

/** Lowers `mapCurrentUser`. */
export function lowerMapCurrentUser(step: MapCurrentUserStep, plan: PlanBuilder): void {
  const { uid, gid } = idsOf(plan.state);
  const { groups, mayChangeGroups } = plan.state.caller;
  // Who may has dropped them before the user namespace was made.
  if (step.dropGroups === true && groups === "others" && mayChangeGroups !== true) {
    return mapWithoutGroups(plan, uid, gid);
  }
  mapOwnIds(plan, uid, gid);
}

/** Lowers `mapIds`. */
export function lowerMapIds(step: MapIdsStep, plan: PlanBuilder): void {
  const own = idsOf(plan.state);
  const [uid, gid] = [step.uids[0]!, step.gids[0]!];
  const ownOnly = step.uids.length === 1 && uid.count === 1 && uid.outside === own.uid &&
    step.gids.length === 1 && gid.count === 1 && gid.outside === own.gid;
  if (ownOnly && step.setgroups !== "allow") return mapOwnIds(plan, uid.inside, gid.inside);
  claimMaps(plan);
  if (plan.state.nestedUser) {
    plan.refuse(
      "in a user namespace within that of the container, only the process's own id can be " +
        "mapped: to map others, the script would have to be in the outer one",
    );
  }
  if (step.setgroups === "deny") denySetgroups(plan);
  plan.access.recordIdMaps(step);
  const [uids, gids] = [mapText(step.uids), mapText(step.gids)];
  plan.host.requireOwnProc();
  const { mayMapIds } = plan.state.caller;
  plan.syncWithParent((pid) =>
    mayMapIds
      ? [
        { calls: mapCalls(plan, pid, "uid_map", uids) },
        { calls: mapCalls(plan, pid, "gid_map", gids) },
      ]
      : [
        { program: "newuidmap", args: [pid.text, ...uids.trim().split(/\s/)] },
        { program: "newgidmap", args: [pid.text, ...gids.trim().split(/\s/)] },
      ]
  );
  const images = { uid: imageOf(own.uid, step.uids), gid: imageOf(own.gid, step.gids) };
  plan.state.ids = { uid: images.uid ?? firstOf(step.uids), gid: images.gid ?? firstOf(step.gids) };
  if (images.uid !== undefined && images.gid !== undefined) return;
  // Without a mapped id it would be nobody in there, and still the script's user on the host.
  // A box does not know whether the map is its caller's own id alone, with which groups stay.
  const isLate = plan.state.caller.mayChangeGroups === "unknown";
  for (const { call, fixes } of changeIds(plan.state.ids, plan.state)) {
    plan.call(call, { fixes, ...(isLate && call.name === "setgroups" && { accept: ["EPERM"] }) });
  }
  if (!plan.state.setgroupsDenied) plan.state.groupsChanged = true;
}

/** Returns the ids of the process in the parent user namespace. */
function idsOf({ ids, caller }: PlannedState): { readonly uid: number; readonly gid: number } {
  return ids ?? { uid: caller.euid, gid: caller.egid };
}

/** Adds calls by which the container maps its own ids itself. */
function mapOwnIds(plan: PlanBuilder, uid: number, gid: number): void {
  const own = idsOf(plan.state);
  claimMaps(plan);
  denySetgroups(plan);
  writeMap(plan, "uid_map", mapText([{ inside: uid, outside: own.uid, count: 1 }]));
  writeMap(plan, "gid_map", mapText([{ inside: gid, outside: own.gid, count: 1 }]));
  plan.state.ids = { uid, gid };
}

/**
 * Maps the own ids, and drops the groups of an ordinary user. A map of the own group alone has to
 * deny setgroups(2); with a group of /etc/subgid newgidmap(1) does not.
 */
function mapWithoutGroups(plan: PlanBuilder, uid: number, gid: number): void {
  claimMaps(plan);
  if (!plan.host.isHere) {
    plan.refuse(
      "which groups /etc/subgid grants is known only where the box runs; leave dropGroups out, or " +
        "build it with --for=root, whose groups are dropped",
    );
  }
  // A user namespace within one that denies it denies it too.
  if (plan.state.caller.mayMapIds || plan.state.nestedUser || plan.state.setgroupsDenied) {
    plan.refuse("the groups cannot be dropped, as setgroups(2) is denied in the user namespace");
  }
  const subordinate = subordinateGroup((path) => plan.facts.accountFile(path), uid) ??
    plan.refuse(
      "an ordinary user drops groups with one that /etc/subgid grants, and it grants none to this " +
        "user (usermod --add-subgids 100000-165535 USER); or leave dropGroups out",
    );
  const ownUid = [{ inside: uid, outside: uid, count: 1 }];
  const gids = [gid, subordinate].map((id) => ({ inside: id, outside: id, count: 1 }));
  plan.access.recordIdMaps({ uids: ownUid, gids });
  plan.host.requireOwnProc();
  writeMap(plan, "uid_map", mapText(ownUid));
  plan.syncWithParent((pid) => [
    { program: "newgidmap", args: [pid.text, ...mapText(gids).trim().split(/\s/)] },
  ]);
  plan.call(setgroups([]));
  plan.state.groupsChanged = true;
  plan.state.ids = { uid, gid };
}

/** Returns root's id, or the first one of the ranges. */
function firstOf(ranges: readonly IdRange[]): number {
  return ranges.some(({ inside }) => inside === 0) ? 0 : ranges[0]!.inside;
}

/** Denies setgroups(2), which an unprivileged group map requires (user_namespaces(7)). */
function denySetgroups(plan: PlanBuilder): void {
  plan.state.setgroupsDenied = true;
  writeMap(plan, "setgroups", "deny");
}

/** Writes a map file in one write(2), as user_namespaces(7) requires. */
function writeMap(plan: PlanBuilder, file: string, text: string): void {
  writeProcFile(plan, `self/${file}`, text, {
    // A join that comes later makes the process undumpable from its start.
    open: { EACCES: () => plan.state.exposed ? UNDUMPABLE : appArmor(plan.host) },
    write: mapFixes(plan),
  });
}

const UNDUMPABLE =
  "a container that joins namespaces is undumpable during setup, so only root can write its maps; " +
  "do this in a second recipe, run in the container";

function mapFixes(plan: PlanBuilder): { readonly EPERM: () => string } {
  return {
    EPERM: () =>
      appArmor(plan.host) ??
        "the kernel refuses the map: an ordinary user may map only their own id, and others " +
          "with newuidmap and /etc/subuid; and mapping root's id needs CAP_SETFCAP",
  };
}

/** Returns the calls by which the script writes a map of the container. */
function mapCalls(
  plan: PlanBuilder,
  { text: pid }: ParentPid,
  file: string,
  text: string,
): ParentCall[] {
  const [before, directory, after] = processDirectory(pid);
  const path = typeof pid === "string" ? `/proc/${pid}/${file}` : file;
  const [opened, written, closed] = writeText(directory, path, text);
  return [
    ...before.map((call) => ({ call })),
    { call: opened, fixes: { EACCES: () => appArmor(plan.host) } },
    { call: written, fixes: mapFixes(plan) },
    ...after.map((call) => ({ call })),
    { call: closed },
  ];
}

/** Opens the directory of a process whose pid is in memory, with the calls that close it. */
function processDirectory(pid: string | Output): [before: Call[], directory: Fd, after: Call[]] {
  if (typeof pid === "string") return [[], at_fdcwd, []];
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const proc = openat(at_fdcwd, "/proc", flags);
  const directory = openat(new ResultOf(proc, "proc"), pid, flags);
  const fds = [new ResultOf(proc, "proc"), new ResultOf(directory, "process")] as const;
  return [[proc, directory], fds[1], fds.map((fd) => close(fd))];
}

/** Refuses the step unless the user namespace has no map yet. */
function claimMaps(plan: PlanBuilder): void {
  plan.needs("user", "there are no ids to map");
  if (plan.state.idsMapped) {
    plan.refuse("the ids are mapped already, and the kernel takes one map only");
  }
  plan.state.idsMapped = true;
}
