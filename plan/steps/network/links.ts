/**
 * Lowers the steps `loopback`, `bridge`, `dummy`.
 *
 * @module
 */

import { addBridge, addDummy, setLink } from "../../../ffi/netlink/link.ts";
import { HOSTS_NETWORK, inContainerNetns, linkFixes, noInterface } from "../../network.ts";
import type { BridgeStep, DummyStep, LoopbackStep } from "../../../recipe/steps/network/links.ts";
import type { PlanBuilder } from "../../builder.ts";

/** Lowers `loopback`. */
export function lowerLoopback(_step: LoopbackStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  inContainerNetns(plan, (kernel) => kernel.request(setLink("lo", { up: true })));
}

/** Lowers `bridge`. */
export function lowerBridge({ name, ports = [] }: BridgeStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  inContainerNetns(plan, (kernel) => {
    kernel.request(addBridge({ name, up: true }), linkFixes(name, "bridge"));
    if (ports.length === 0) return;
    const master = kernel.indexOf(name);
    for (const port of ports) {
      kernel.request(setLink(port, { master, up: true }), { ENODEV: noInterface(port) });
    }
  });
}

/** Lowers `dummy`. */
export function lowerDummy({ name }: DummyStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  inContainerNetns(
    plan,
    (kernel) => kernel.request(addDummy({ name, up: true }), linkFixes(name, "dummy")),
  );
}
