/**
 * The network of a container that is granted none of the host's, or some hosts.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import { bindLoopback, listen, tcpSocket } from "../ffi/calls/sockets.ts";
import { setLink } from "../ffi/netlink/link.ts";
import type { PlanBuilder } from "./builder.ts";
import { PROXY_PORT } from "../proxy/variables.ts";
import { inside } from "./network.ts";

/** How many connections may wait to be taken. */
const BACKLOG = 128;

/** Equips a network that a step has made, with what has been granted. */
export function setUpRestrictedNetwork(plan: PlanBuilder): void {
  const network = plan.access?.network;
  if (network === undefined) return;
  inside(plan, (kernel) => kernel.request(setLink("lo", { up: true })));
  if (network === "loopback") return;
  const socket = new ResultOf(plan.call(tcpSocket()), "proxy");
  plan.call(bindLoopback(socket, PROXY_PORT));
  plan.call(listen(socket, BACKLOG));
  plan.listener = socket;
}
