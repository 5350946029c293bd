/**
 * The network of a container that is granted none of the host's, or some hosts.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { bindLoopback, listen, tcpSocket } from "../../ffi/calls/sockets.ts";
import { setLink } from "../../ffi/netlink/link.ts";
import type { Draft } from "../drafting/draft.ts";
import { PROXY_PORT } from "../gate/proxy/variables.ts";
import { inside } from "./network.ts";

/** How many connections may wait to be taken. */
const BACKLOG = 128;

/** Equips a network that a step has made, with what has been granted. */
export function equipNetwork(draft: Draft): void {
  const network = draft.gate?.network;
  if (network === undefined) return;
  inside(draft, (kernel) => kernel.request(setLink("lo", { up: true })));
  if (network === "loopback") return;
  const socket = new ResultOf(draft.call(tcpSocket()), "proxy");
  draft.call(bindLoopback(socket, PROXY_PORT));
  draft.call(listen(socket, BACKLOG));
  draft.listener = socket;
}
