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
import type { Fixes } from "../ffi/fix.ts";
import type { NetworkReference } from "../ffi/netlink/link.ts";
import type { Message } from "../ffi/netlink/message.ts";
import { answerOutput, requestCalls, socketCalls } from "../ffi/netlink/request.ts";
import type { PlanBuilder } from "./builder.ts";
import type { HostService } from "./parent_work.ts";

/** Why the steps need a network namespace. */
export const HOSTS_NETWORK = "it would change the host's network";

/** Requests to one network namespace, as calls. */
export class NetlinkBatch {
  readonly calls: { readonly call: Call; readonly fixes: Fixes }[] = [];
  readonly #answer = answerOutput();
  readonly #denied: string;

  /** Requests on this socket, which are refused for this reason where they are not permitted. */
  constructor(readonly socket: Fd, denied: string) {
    this.#denied = denied;
  }

  /** Makes a request. */
  request(message: Message, fixes: Fixes = {}): void {
    const whole = { EPERM: this.#denied, ...fixes };
    for (const call of requestCalls(this.socket, [message], this.#answer)) {
      this.calls.push({ call, fixes: whole });
    }
  }

  /** The index of the interface with this name. */
  indexOf(name: string): OutputField {
    const request = interfaceRequest(name);
    const fixes = { ENODEV: noInterface(name) };
    this.calls.push({ call: getInterfaceIndex(this.socket, request), fixes });
    return indexField(request, name);
  }
}

/** An interface that is not there. */
export function noInterface(name: string): string {
  return `there is no interface ${name} in that network; veth(), bridge() and the like make one`;
}

/** What making an interface fails for. */
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

/** Speaks with the container's own network namespace. */
export function inContainerNetns(plan: PlanBuilder, speak: (kernel: NetlinkBatch) => void): void {
  const kernel = new NetlinkBatch(insideSocket(plan), denialIn(plan));
  speak(kernel);
  for (const { call, fixes } of kernel.calls) plan.call(call, { fixes });
}

/**
 * Speaks with the network namespace outside, from where the container's own is `namespace`. Where
 * it is the host's, the script keeps up for it what is told; refused where it may not change it.
 */
export function inParentNetns(
  plan: PlanBuilder,
  speak: (kernel: NetlinkBatch, namespace: NetworkReference) => void,
  upkeep?: HostService,
): void {
  const { outside } = plan.state.network;
  if (outside !== undefined) {
    const kernel = new NetlinkBatch(outside, denialIn(plan));
    speak(kernel, { fd: namespaceOf(plan) });
    for (const { call, fixes } of kernel.calls) plan.call(call, { fixes });
    return;
  }
  mayChangeOutside(plan);
  plan.access.recordNetworkChange();
  plan.syncWithParent((pid) => {
    const [socket, ...options] = socketCalls(NETLINK_ROUTE, fdOf);
    const kernel = new NetlinkBatch(fdOf(socket), denialIn(plan));
    speak(kernel, { pid: Number(pid) });
    const calls = [
      ...[socket, ...options].map((call) => ({ call })),
      ...kernel.calls,
      { call: close(fdOf(socket)) },
    ];
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

function fdOf(socket: Call): ResultOf {
  return new ResultOf(socket, "socket");
}
