/**
 * Lowers the step `userNetwork`.
 *
 * @module
 */

import { forwardsByScript, HOSTS_NETWORK } from "../../network.ts";
import {
  USER_NETWORK_PROGRAMS,
  type UserNetworkStep,
} from "../../../recipe/steps/network/user_network.ts";
import type { PlanBuilder } from "../../builder.ts";

/** Lowers `userNetwork`. */
export function lowerUserNetwork({ program }: UserNetworkStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  forwardsByScript(plan);
  plan.host.requireOwnProc();
  plan.access.record({ kind: "net", host: "*" });
  const programs = program === undefined ? USER_NETWORK_PROGRAMS : [program];
  plan.syncWithParent(() => [{ service: "user-network", programs }]);
}
