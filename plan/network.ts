/**
 * How steps speak with the kernel about networks: that of the container, and the one outside of it,
 * which the container was in before `unshare("net")`.
 *
 * The one outside is reached by a socket that was opened there, where the container has come from
 * another namespace that it had or joined; from the host's own, the script does it at a meeting.
 *
 * @module
 */

import { type Call, type Fd, type OutputField, ResultOf } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import {
  getInterfaceIndex,
  indexField,
  interfaceRequest,
  NETLINK_ROUTE,
  openSocketNamespace,
} from "../ffi/calls/sockets.ts";
import type { NetworkReference } from "../ffi/netlink/link.ts";
import type { Message } from "../ffi/netlink/message.ts";
import { answerOutput, requestCalls, socketCalls } from "../ffi/netlink/request.ts";
import type { PlanBuilder } from "./builder.ts";
import type { HostService } from "./parent_work.ts";

/** Why the steps need a network namespace. */
export const HOSTS_NETWORK = "it would change the host's network";

/** Speaks with one network namespace: each method answers calls. */
export class NetlinkBatch {
  readonly calls: Call[] = [];
  readonly #answer = answerOutput();

  constructor(readonly socket: Fd) {}

  /** Makes a request. */
  request(message: Message): void {
    this.calls.push(...requestCalls(this.socket, [message], this.#answer));
  }

  /** The index of the interface with this name. */
  indexOf(name: string): OutputField {
    const request = interfaceRequest(name);
    this.calls.push(getInterfaceIndex(this.socket, request));
    return indexField(request, name);
  }
}

/** Speaks with the container's own network namespace. */
export function inside(plan: PlanBuilder, speak: (kernel: NetlinkBatch) => void): void {
  const kernel = new NetlinkBatch(insideSocket(plan));
  speak(kernel);
  for (const call of kernel.calls) plan.call(call);
}

/**
 * Speaks with the network namespace outside, from where the container's own is `namespace`. Where
 * it is the host's, the script keeps up for it what is told; refused where it may not change it.
 */
export function outside(
  plan: PlanBuilder,
  speak: (kernel: NetlinkBatch, namespace: NetworkReference) => void,
  upkeep?: HostService,
): void {
  const { outside } = plan.state.network;
  if (outside !== undefined) {
    const kernel = new NetlinkBatch(outside);
    speak(kernel, { fd: namespaceOf(plan) });
    for (const call of kernel.calls) plan.call(call);
    return;
  }
  mayChangeOutside(plan);
  plan.access?.changesNetwork();
  plan.syncWithParent((pid) => {
    const [socket, ...options] = socketCalls(NETLINK_ROUTE, fdOf);
    const kernel = new NetlinkBatch(fdOf(socket));
    speak(kernel, { pid: Number(pid) });
    const calls = [socket, ...options, ...kernel.calls, close(fdOf(socket))];
    return upkeep === undefined ? [{ calls }] : [{ calls }, upkeep];
  });
}

/** Refuses the step where who runs the recipe may not change the host's network. */
export function mayChangeOutside(plan: PlanBuilder): void {
  if (plan.state.caller.mayChangeNetwork) return;
  plan.refuse(
    "an ordinary user may not change the host's network; join() the namespaces of a container " +
      'that has a network, then unshare("net"), and this is done there',
  );
}

/** The container is about to be in another network namespace. */
export function keepParentNetns(plan: PlanBuilder): void {
  plan.state.network = plan.state.own.has("net") ? { outside: insideSocket(plan) } : {};
}

function insideSocket(plan: PlanBuilder): ResultOf {
  if (plan.state.network.inside === undefined) {
    const calls = socketCalls(NETLINK_ROUTE, fdOf);
    for (const call of calls) plan.call(call);
    plan.state.network.inside = fdOf(calls[0]);
  }
  return plan.state.network.inside;
}

function namespaceOf(plan: PlanBuilder): ResultOf {
  const opened = () => plan.call(openSocketNamespace(insideSocket(plan)));
  return plan.state.network.namespace ??= new ResultOf(opened(), "the container's network");
}

function fdOf(socket: Call): ResultOf {
  return new ResultOf(socket, "socket");
}
