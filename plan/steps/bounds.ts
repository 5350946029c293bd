/**
 * Lowers the step `bounds`.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd } from "../../ffi/calls/files.ts";
import { open_tree_attr, OPEN_TREE_CLOEXEC } from "../../ffi/calls/mounts.ts";
import { prlimit64, RLIMITS } from "../../ffi/calls/processes.ts";
import { atLeast, type Host } from "../../host/host.ts";
import type { BoundsStep } from "../../recipe/steps/bounds.ts";
import { numberOf } from "../../recipe/steps/limits.ts";
import type { PlanBuilder } from "../builder.ts";
import { writeSetting } from "./sysctl.ts";

/** Lowers `bounds`. */
export function lowerBounds(step: BoundsStep, plan: PlanBuilder): void {
  const { pids, timeout, output, degrade = false } = step;
  if (timeout !== undefined) plan.state.timeout = numberOf(timeout);
  if (output !== undefined) plan.state.maxOutput = numberOf(output);
  if (typeof pids === "number") boundProcesses(pids, degrade, plan);
}

/** Bounds processes by what counts them without a control group, or else by one. */
function boundProcesses(count: number, degrade: boolean, plan: PlanBuilder): void {
  if (countsByUserNamespace(plan)) {
    const limit = prlimit64(0, RLIMITS.NPROC, { soft: count, hard: count }, null);
    // The hard limit that there is may be lower already.
    plan.beforeExec(limit, undefined, ["EPERM"]);
    if (!isRoot(plan)) {
      // A box for users may be root's.
      if (!plan.host.isHere && hasPids(count, plan)) boundPidsLate(count, plan, true);
      return;
    }
  }
  if (!plan.host.isHere && hasPids(count, plan)) return boundPidsLate(count, plan, degrade);
  if (countsByPidNamespace(count, plan)) {
    // Pids begin with 1 and end below this.
    return writeSetting(plan, PID_MAX, String(count + 1));
  }
  if (degrade) return;
  const limited = plan.limits?.limits.pids;
  if (limited === undefined || limited > count) plan.limitTo({ pids: count });
}

/** The setting of the highest pid, and the least value that it takes (RESERVED_PIDS). */
const [PID_MAX, LEAST] = ["kernel/pid_max", 301];

/** Whether RLIMIT_NPROC counts processes of the container's user namespace alone. */
function countsByUserNamespace({ host, state }: PlanBuilder): boolean {
  return state.unshared.has("user") && (!host.isHere || isSince(host, 5, 14));
}

/** Whether the program may be root of the machine, of whom RLIMIT_NPROC counts none (fork(2)). */
function isRoot({ state }: PlanBuilder): boolean {
  return state.caller.euid === 0;
}

/** Whether the container can bound the pids of a namespace of its own, on this kernel. */
function countsByPidNamespace(count: number, plan: PlanBuilder): boolean {
  return hasPids(count, plan) && plan.host.isHere && isSince(plan.host, 6, 14);
}

/** Whether there is a namespace of pids of its own, by whose setting this number can be bound. */
function hasPids(count: number, { state }: PlanBuilder): boolean {
  return state.unshared.has("pid") && !state.joined.has("pid") && count + 1 >= LEAST &&
    state.outerProc === undefined && state.mounts.mountOf("/proc").type === "proc";
}

/**
 * Bounds pids on a kernel that is not known. Before Linux 6.14 the setting is that of the machine,
 * and root would change it; a call that is newer tells that it is not.
 */
function boundPidsLate(count: number, plan: PlanBuilder, degrade: boolean): void {
  plan.skippable("this kernel is older than 6.15", (older) => {
    const opened = plan.call(open_tree_attr(at_fdcwd, "/", OPEN_TREE_CLOEXEC, null, 0), {
      // EPERM: a container outside denies calls that it does not know.
      ...(degrade ? { accept: ["ENOSYS", "EPERM"], onAccepted: older } : {}),
    });
    plan.release(new ResultOf(opened, "tree"));
    writeSetting(plan, PID_MAX, String(count + 1));
  });
}

function isSince(host: Host, major: number, minor: number): boolean {
  return atLeast(host.kernel(), { major, minor });
}
