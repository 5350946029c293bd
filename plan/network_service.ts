/**
 * What a command serves in a network that its recipe makes.
 *
 * @module
 */

import { bindLoopback, listen, tcpSocket } from "../ffi/calls/sockets.ts";
import { setLink } from "../ffi/netlink/link.ts";
import type { PlanBuilder } from "./builder.ts";
import { inContainerNetns } from "./network.ts";

/** The port of the loopback interface on which a proxy of the script's serves a container. */
export const PROXY_PORT = 3128;

/** How many connections may wait to be taken. */
const BACKLOG = 128;

/** Sets up the loopback interface, and for a proxy the socket that the script accepts on. */
export function setUpNetworkService(plan: PlanBuilder): void {
  const { network } = plan.options;
  if (network === undefined) return;
  inContainerNetns(plan, (kernel) => kernel.request(setLink("lo", { up: true })));
  if (network === "loopback") return;
  const socket = plan.open(tcpSocket(), "proxy");
  plan.call(bindLoopback(socket, PROXY_PORT));
  plan.call(listen(socket, BACKLOG));
  plan.listener = socket;
}
