/**
 * Sets up the network of a command with permissions: the loopback interface, and a proxy on it.
 *
 * @module
 */

import { AF_INET } from "../ffi/calls/constants/sockets.ts";
import { bindLoopback, ipSocket, listen } from "../ffi/calls/ip_sockets.ts";
import { setLink } from "../ffi/netlink/link.ts";
import type { PlanBuilder } from "./builder.ts";
import { forwardsByScript, inContainerNetns } from "./network.ts";

/** The port of the script's proxy, on the container's loopback interface. */
export const PROXY_PORT = 3128;

/** The backlog of the proxy's socket. See listen(2). */
const BACKLOG = 128;

/** Adds calls that set up the loopback interface, and for a proxy its listening socket. */
export function setUpNetworkService(plan: PlanBuilder): void {
  const { network } = plan.options;
  if (network === undefined) return;
  if (network === "proxy") return setUpProxy(plan);
  inContainerNetns(plan, (kernel) => kernel.request(setLink("lo", { up: true })));
}

/** Adds calls that set up the loopback interface, and on it the listening socket of a proxy. */
export function setUpProxy(plan: PlanBuilder): void {
  inContainerNetns(plan, (kernel) => kernel.request(setLink("lo", { up: true })));
  forwardsByScript(plan);
  const socket = plan.open(ipSocket(AF_INET, "tcp"), "proxy");
  plan.call(bindLoopback(socket, PROXY_PORT));
  plan.call(listen(socket, BACKLOG));
  plan.listener = socket;
}
