/**
 * How steps speak with the kernel about networks: that of the container, and the one outside of it,
 * which the container was in before `unshare("net")`.
 *
 * The one outside is reached by a socket that was opened there, where the container has come from
 * another namespace that it had or joined; from the host's own, the script does it at a meeting.
 *
 * @module
 */

import { type Call, type Fd, type OutputField, ResultOf } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import {
  getInterfaceIndex,
  indexField,
  interfaceRequest,
  NETLINK_ROUTE,
  openSocketNamespace,
} from "../../ffi/calls/sockets.ts";
import type { NetworkReference } from "../../ffi/netlink/link.ts";
import type { Message } from "../../ffi/netlink/message.ts";
import { answerOutput, requestCalls, socketCalls } from "../../ffi/netlink/request.ts";
import type { Draft } from "../drafting/draft.ts";
import type { Upkeep } from "../drafting/script_part.ts";

/** Speaks with one network namespace: each method answers calls. */
export class Correspondent {
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
export function inside(draft: Draft, speak: (kernel: Correspondent) => void): void {
  const kernel = new Correspondent(insideSocket(draft));
  speak(kernel);
  for (const call of kernel.calls) draft.call(call);
}

/**
 * Speaks with the network namespace outside, from where the container's own is `namespace`. Where
 * it is the host's, the script keeps up for it what is told; refused where it may not change it.
 */
export function outside(
  draft: Draft,
  speak: (kernel: Correspondent, namespace: NetworkReference) => void,
  upkeep?: Upkeep,
): void {
  const { outside } = draft.container.network;
  if (outside !== undefined) {
    const kernel = new Correspondent(outside);
    speak(kernel, { fd: namespaceOf(draft) });
    for (const call of kernel.calls) draft.call(call);
    return;
  }
  mayChangeOutside(draft);
  draft.gate?.changesNetwork();
  draft.meet((pid) => {
    const [socket, ...options] = socketCalls(NETLINK_ROUTE, fdOf);
    const kernel = new Correspondent(fdOf(socket));
    speak(kernel, { pid: Number(pid) });
    const calls = [socket, ...options, ...kernel.calls, close(fdOf(socket))];
    return upkeep === undefined ? [{ calls }] : [{ calls }, upkeep];
  });
}

/** Refuses the step where who runs the recipe may not change the host's network. */
export function mayChangeOutside(draft: Draft): void {
  if (draft.container.caller.mayChangeNetwork) return;
  draft.refuse(
    "an ordinary user may not change the host's network; join() the namespaces of a container " +
      'that has a network, then unshare("net"), and this is done there',
  );
}

/** The container is about to be in another network namespace. */
export function leaveNetwork(draft: Draft): void {
  draft.container.network = draft.container.own.has("net") ? { outside: insideSocket(draft) } : {};
}

function insideSocket(draft: Draft): ResultOf {
  if (draft.container.network.inside === undefined) {
    const calls = socketCalls(NETLINK_ROUTE, fdOf);
    for (const call of calls) draft.call(call);
    draft.container.network.inside = fdOf(calls[0]);
  }
  return draft.container.network.inside;
}

function namespaceOf(draft: Draft): ResultOf {
  const opened = () => draft.call(openSocketNamespace(insideSocket(draft)));
  return draft.container.network.namespace ??= new ResultOf(opened(), "the container's network");
}

function fdOf(socket: Call): ResultOf {
  return new ResultOf(socket, "socket");
}
