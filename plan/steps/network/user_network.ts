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
import { loopbackServers, nameForwarder } from "./name_servers.ts";

/** Lowers `userNetwork`. */
export function lowerUserNetwork(step: UserNetworkStep, plan: PlanBuilder): void {
  const { program, dns = true } = step;
  plan.needs("net", HOSTS_NETWORK);
  forwardsByScript(plan);
  plan.host.requireOwnProc();
  plan.access.record({ kind: "net", host: "*" });
  const programs = program === undefined ? USER_NETWORK_PROGRAMS : [program];
  const resolvConf = dns ? plan.facts.resolvConf() : "";
  const [server] = loopbackServers(resolvConf);
  if (server !== undefined) {
    if (!plan.state.unshared.has("mount")) {
      plan.refuse(
        `this machine's resolver is at ${server}, where the container has none; with ` +
          'unshare("mount") before it, its /etc/resolv.conf names another, and { dns: false } does ' +
          "without",
      );
    }
    nameForwarder(plan, resolvConf);
  }
  const forwarding = server === undefined ? {} : { forwardsNames: true };
  plan.syncWithParent(() => [{ service: "user-network", programs, ...forwarding }]);
}
