/**
 * Netlink requests of steps, to the network namespace of the container and to its parent: the one
 * that the container was in before `unshare("net")`.
 *
 * If the parent is another namespace of the container, a socket that was opened there reaches it.
 * If the parent is the host's, the script makes the requests at a sync point.
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
import type { Fixes } from "../ffi/fix.ts";
import type { NetworkReference } from "../ffi/netlink/link.ts";
import type { Message } from "../ffi/netlink/message.ts";
import { answerOutput, requestCalls, socketCalls } from "../ffi/netlink/request.ts";
import type { PlanBuilder } from "./builder.ts";
import type { HostService } from "./parent_work.ts";

/** Why a step needs a network namespace. */
export const HOSTS_NETWORK = "it would change the host's network";

/** Requests to one network namespace, as calls. */
export class NetlinkBatch {
  readonly calls: { readonly call: Call; readonly fixes: Fixes }[] = [];
  readonly #answer = answerOutput();
  readonly #denied: string;

  /** @param denied the fix for EPERM */
  constructor(readonly socket: Fd, denied: string) {
    this.#denied = denied;
  }

  /** Adds a request. */
  request(message: Message, fixes: Fixes = {}): void {
    const whole = { EPERM: this.#denied, ...fixes };
    for (const call of requestCalls(this.socket, [message], this.#answer)) {
      this.calls.push({ call, fixes: whole });
    }
  }

  /** Adds a call that looks up the index of the interface with this name, and returns the index. */
  indexOf(name: string): OutputField {
    const request = interfaceRequest(name);
    const fixes = { ENODEV: noInterface(name) };
    this.calls.push({ call: getInterfaceIndex(this.socket, request), fixes });
    return indexField(request, name);
  }
}

/** Returns the fix for ENODEV. */
export function noInterface(name: string): string {
  return `there is no interface ${name} in that network; veth(), bridge() and the like make one`;
}

/** Returns the fixes for a request that creates an interface. */
export function linkFixes(name: string | undefined, kind: string): Fixes {
  return {
    EEXIST: `an interface is called ${name} already; choose another name`,
    ENODEV: noInterface(name ?? "of this name"),
    EOPNOTSUPP:
      `this kernel has no interfaces of this kind, or has not loaded them: modprobe ${kind}`,
  };
}

function denialIn(plan: PlanBuilder): string {
  return plan.state.inUserNamespace
    ? "the network belongs to another user namespace; join that too, as in join(target, " +
      '"user", "net")'
    : 'this takes CAP_NET_ADMIN; as an ordinary user, put "user" among the namespaces: ' +
      'unshare("user", "net"), mapRoot()';
}

/** Adds requests to the container's own network namespace. */
export function inContainerNetns(
  plan: PlanBuilder,
  request: (kernel: NetlinkBatch) => void,
): void {
  const kernel = new NetlinkBatch(insideSocket(plan), denialIn(plan));
  request(kernel);
  for (const { call, fixes } of kernel.calls) plan.call(call, { fixes });
}

/**
 * Adds requests to the parent network namespace, in which the container's own is `namespace`. If
 * the parent is the host's, the script makes them and starts the service; the step is refused if
 * the script may not change the host's network.
 */
export function inParentNetns(
  plan: PlanBuilder,
  request: (kernel: NetlinkBatch, namespace: NetworkReference) => void,
  service?: HostService,
): void {
  const { outside } = plan.state.network;
  if (outside !== undefined) {
    const kernel = new NetlinkBatch(outside, denialIn(plan));
    request(kernel, { fd: namespaceOf(plan) });
    for (const { call, fixes } of kernel.calls) plan.call(call, { fixes });
    return;
  }
  mayChangeOutside(plan);
  plan.access.recordNetworkChange();
  plan.syncWithParent((pid) => {
    const [socket, ...options] = socketCalls(NETLINK_ROUTE, fdOf);
    const kernel = new NetlinkBatch(fdOf(socket), denialIn(plan));
    request(kernel, { pid: pid.number });
    const calls = [
      ...[socket, ...options].map((call) => ({ call })),
      ...kernel.calls,
      { call: close(fdOf(socket)) },
    ];
    return service === undefined ? [{ calls }] : [{ calls }, service];
  });
}

/** Refuses the step unless the caller may change the host's network. */
export function mayChangeOutside(plan: PlanBuilder): void {
  if (plan.state.caller.mayChangeNetwork) return;
  plan.refuse(
    "an ordinary user may not change the host's network; join() the namespaces of a container " +
      'that has a network, then unshare("net"), and do this there',
  );
}

/**
 * Notes that the script forwards the container's packets; refuses the step if the container may outlive
 * the script.
 */
export function forwardsByScript(plan: PlanBuilder): void {
  if (plan.deathSignal === 0) plan.refuse(OUTLIVES_FORWARDING);
  plan.state.isForwardedByScript = true;
}

/** Why a container may not outlive a script that forwards its packets. */
export const OUTLIVES_FORWARDING =
  "publish(), masquerade(), userNetwork() and a list of hosts last as long as the script, and " +
  "dieWithParent(null), or the option detached, lets the container outlive it; leave out one of them";

/** Keeps a socket of the present network namespace, before the container enters another. */
export function keepParentNetns(plan: PlanBuilder): void {
  plan.state.network = plan.state.unshared.has("net") ? { outside: insideSocket(plan) } : {};
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

/** Returns the descriptor of a call that opens a socket. */
export function fdOf(socket: Call): ResultOf {
  return new ResultOf(socket, "socket");
}
