/**
 * Lowers the step `proxy`.
 *
 * @module
 */

import type { ProxyStep } from "../../../recipe/steps/network/proxy.ts";
import type { PlanBuilder } from "../../builder.ts";
import { HOSTS_NETWORK } from "../../network.ts";
import { setUpProxy } from "../../network_service.ts";

/** Lowers `proxy`. */
export function lowerProxy({ hosts, deny = [] }: ProxyStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  if (!plan.host.isHere) {
    plan.refuse(
      "a box cannot pass connections on; a script has to run beside the program for that",
    );
  }
  if (plan.listener !== undefined) {
    plan.refuse("there is a proxy already, of another such step or of a list of granted hosts");
  }
  plan.requireRights("net");
  plan.access.record({ kind: "net", host: "*" });
  setUpProxy(plan);
  plan.state.hosts = { hosts, deny };
}
