/**
 * Lowers the step `userNetwork`.
 *
 * @module
 */

import { HOSTS_NETWORK } from "../../network.ts";
import {
  startUserNetwork,
  USER_NETWORK_ARGUMENTS,
} from "../../../launch/host_services/user_network.ts";
import {
  USER_NETWORK_PROGRAMS,
  type UserNetworkStep,
} from "../../../recipe/steps/network/user_network.ts";
import type { PlanBuilder } from "../../builder.ts";

/** Lowers `userNetwork`. */
export function lowerUserNetwork({ program }: UserNetworkStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  plan.host.requireOwnProc();
  plan.access.record({ kind: "net", host: "*" });
  const programs = program === undefined ? USER_NETWORK_PROGRAMS : [program];
  const commands = (pid: string) =>
    programs.map((name) => [name, ...USER_NETWORK_ARGUMENTS[name](pid)].join(" "));
  plan.syncWithParent((text) => [{
    does: [commands(text).join(", or ")],
    begin: (pid) => startUserNetwork(programs, pid),
  }]);
}
