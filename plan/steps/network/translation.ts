/**
 * Lowers the steps `masquerade`, `publish`.
 *
 * @module
 */

import { HOSTS_NETWORK } from "../../network.ts";
import { type Call, ResultOf } from "../../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_WRONLY, openat, write } from "../../../ffi/calls/files.ts";
import { AF_INET6, NETLINK_NETFILTER } from "../../../ffi/calls/sockets.ts";
import { parseIp, parsePrefix } from "../../../ffi/netlink/ip.ts";
import {
  addNatTable,
  describePublished,
  masquerading,
  type NatTable,
  publishing,
} from "../../../ffi/netlink/nftables.ts";
import { answerOutput, requestCalls, socketCalls } from "../../../ffi/netlink/request.ts";
import type { PlanBuilder } from "../../builder.ts";
import { mayChangeOutside } from "../../network.ts";
import type { MasqueradeStep, PublishStep } from "../../../recipe/steps/network/translation.ts";

/** Lowers `masquerade`. */
export function lowerMasquerade({ source, inside }: MasqueradeStep, plan: PlanBuilder): void {
  const network = parsePrefix(source)!;
  const rules = [{ hook: "postrouting", rule: masquerading(network) }] as const;
  translate(plan, inside, { family: network.family, rules }, ["masquerade", source]);
}

/** Lowers `publish`. */
export function lowerPublish(
  { port, address, to: toPort = port, protocol = "tcp", inside }: PublishStep,
  plan: PlanBuilder,
): void {
  const to = parseIp(address)!;
  const published = { protocol, port, to, toPort };
  const rule = publishing(published);
  // What others send comes by the first, what this machine itself sends by the second.
  const rules = [{ hook: "prerouting", rule }, { hook: "output", rule }] as const;
  const words = ["publish", describePublished(published)];
  translate(plan, inside, { family: to.family, rules }, words);
}

function translate(
  plan: PlanBuilder,
  inside: boolean | undefined,
  table: Omit<NatTable, "name" | "owned">,
  words: readonly string[],
): void {
  plan.needs("net", HOSTS_NETWORK);
  const messages = (name: string) => addNatTable({ ...table, name, owned: inside !== true });
  if (inside === true) {
    plan.access?.writesProc();
    for (const call of forwardingCalls(table.family)) plan.call(call);
    const [socket, ...options] = socketCalls(NETLINK_NETFILTER, fdOf);
    const name = `ramekin-${words.join(" ").replaceAll(/[^\w.]+/g, "-")}`;
    const request = requestCalls(fdOf(socket), messages(name), answerOutput(), words);
    for (const call of [socket, ...options, ...request, close(fdOf(socket))]) plan.call(call);
    return;
  }
  if (plan.state.network.outside !== undefined) {
    plan.refuse(
      "the network outside is another container's; put the step into that one's recipe, with " +
        "{ inside: true }",
    );
  }
  mayChangeOutside(plan);
  plan.access?.changesNetwork();
  plan.syncWithParent(() => [{ service: "nat-table", table, words }]);
}

/** The file by which a network passes packets on between its interfaces, or does not. */
export function forwardingFile(family: number): string {
  return family === AF_INET6
    ? "/proc/sys/net/ipv6/conf/all/forwarding"
    : "/proc/sys/net/ipv4/ip_forward";
}

/** Has the container's network pass packets on. */
function forwardingCalls(family: number): Call[] {
  const opened = openat(at_fdcwd, forwardingFile(family), O_WRONLY | O_CLOEXEC);
  const fd = new ResultOf(opened, "fd");
  return [opened, write(fd, Uint8Array.of(0x31), 1), close(fd)];
}

function fdOf(socket: Call): ResultOf {
  return new ResultOf(socket, "socket");
}
