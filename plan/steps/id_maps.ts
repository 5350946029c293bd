/**
 * Lowers the steps `mapRoot`, `mapCurrentUser`, `mapIds`.
 *
 * @module
 */

import { type Call, ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_WRONLY, openat, write } from "../../ffi/calls/files.ts";
import { requireOwnProc } from "../../ffi/proc/proc_dir.ts";
import type { PlannedState } from "../planned_state.ts";
import type { PlanBuilder } from "../builder.ts";
import type { IdRange } from "../../recipe/steps/id_range.ts";
import {
  type MapCurrentUserStep,
  type MapIdsStep,
  type MapRootStep,
  mapText,
} from "../../recipe/steps/id_maps.ts";

/** Lowers `mapRoot`. */
export function lowerMapRoot(_step: MapRootStep, plan: PlanBuilder): void {
  mapOwnIds(plan, 0, 0);
}

/** Lowers `mapCurrentUser`. */
export function lowerMapCurrentUser(_step: MapCurrentUserStep, plan: PlanBuilder): void {
  const { uid, gid } = idsOf(plan.state);
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
      "in a user namespace within that of the container only the own id can be mapped, " +
        "as the script would have to be in the outer one to map others",
    );
  }
  if (step.setgroups === "deny") denySetgroups(plan);
  plan.access?.maps(step);
  const [uids, gids] = [mapText(step.uids), mapText(step.gids)];
  requireOwnProc();
  const { mayMapIds } = plan.state.caller;
  plan.syncWithParent((pid) =>
    mayMapIds
      ? [
        { calls: writeFileCalls(`/proc/${pid}/uid_map`, uids) },
        { calls: writeFileCalls(`/proc/${pid}/gid_map`, gids) },
      ]
      : [
        { program: "newuidmap", args: [pid, ...uids.trim().split(/\s/)] },
        { program: "newgidmap", args: [pid, ...gids.trim().split(/\s/)] },
      ]
  );
  plan.state.ids = { uid: imageOf(own.uid, step.uids), gid: imageOf(own.gid, step.gids) };
}

const encoder = new TextEncoder();

/** Who the process is that maps, as the namespace around its own sees it. */
function idsOf({ ids, caller }: PlannedState): { readonly uid: number; readonly gid: number } {
  return ids ?? { uid: caller.euid, gid: caller.egid };
}

/** The container maps its own ids itself. */
function mapOwnIds(plan: PlanBuilder, uid: number, gid: number): void {
  const own = idsOf(plan.state);
  claimMaps(plan);
  plan.access?.writesProc();
  denySetgroups(plan);
  const uids = mapText([{ inside: uid, outside: own.uid, count: 1 }]);
  const gids = mapText([{ inside: gid, outside: own.gid, count: 1 }]);
  for (const call of writeFileCalls("/proc/self/uid_map", uids)) plan.call(call);
  for (const call of writeFileCalls("/proc/self/gid_map", gids)) plan.call(call);
  plan.state.ids = { uid, gid };
}

/** What the kernel shows for ids that are not mapped (sysctl kernel.overflowuid). */
const OVERFLOW_ID = 65534;

/** What the ranges make of an id. */
function imageOf(id: number, ranges: readonly IdRange[]): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range === undefined ? OVERFLOW_ID : range.inside + id - range.outside;
}

/** Has to be said before there is a group map. */
function denySetgroups(plan: PlanBuilder): void {
  plan.state.setgroupsDenied = true;
  for (const call of writeFileCalls("/proc/self/setgroups", "deny")) plan.call(call);
}

/** The map files take their whole text in one write(2) (user_namespaces(7)). */
function writeFileCalls(path: string, text: string): Call[] {
  const bytes = encoder.encode(text);
  const opened = openat(at_fdcwd, path, O_WRONLY | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "fd");
  return [opened, write(fd, bytes, bytes.length), close(fd)];
}

function claimMaps(plan: PlanBuilder): void {
  plan.needs("user", "there are no ids to map");
  if (plan.state.idsMapped) {
    plan.refuse("the ids are mapped already, and the kernel takes one map only");
  }
  plan.state.idsMapped = true;
}
