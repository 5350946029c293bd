/**
 * Lowers the step `unshare`.
 *
 * @module
 */

import { CLONE_NEWTIME, unshare as unshareCall } from "../../ffi/calls/namespaces.ts";
import { mount, MS_PRIVATE, MS_REC, MS_SLAVE } from "../../ffi/calls/mounts.ts";
import type { PlanBuilder } from "../builder.ts";
import { CLONE_FLAG, type NamespaceKind } from "../../recipe/namespaces.ts";
import { setUpRestrictedNetwork } from "../restricted_network.ts";
import { keepParentNetns } from "../network.ts";
import { enterTime } from "../time_namespace.ts";
import type { UnshareStep } from "../../recipe/steps/unshare.ts";

/** Lowers `unshare`. */
export function lowerUnshare(step: UnshareStep, plan: PlanBuilder): void {
  const kinds = new Set(step.kinds);
  if (kinds.has("pid")) plan.needsHostPids();
  if (kinds.has("net")) keepParentNetns(plan);
  enterNamespaces(kinds, plan);
  plan.state.unshares(kinds);
  if (kinds.has("mount")) {
    const propagation = step.propagation === "slave" ? MS_SLAVE : MS_PRIVATE;
    plan.call(mount(null, "/", null, MS_REC | propagation, null));
  }
  if (kinds.has("mount")) plan.access?.entersMounts();
  if (kinds.has("net")) setUpRestrictedNetwork(plan);
}

function enterNamespaces(kinds: ReadonlySet<NamespaceKind>, plan: PlanBuilder): void {
  let flags = 0;
  // clone(2) has no bit left for time namespaces: its value is one of the exit signal's.
  for (const kind of kinds) if (kind !== "time") flags |= CLONE_FLAG[kind];
  if (plan.untouched) plan.cloneWith(flags);
  else if (flags !== 0) {
    plan.call(unshareCall(flags));
    // Only children are born into the new pid namespace.
    if (kinds.has("pid")) plan.fork("exit");
  }
  if (!kinds.has("time")) return;
  plan.call(unshareCall(CLONE_NEWTIME));
  enterTime(plan);
}
