/**
 * Lowers the steps `masquerade`, `publish`.
 *
 * @module
 */

import { fdOf, forwardsByScript, HOSTS_NETWORK, mayChangeOutside } from "../../network.ts";

import { close } from "../../../ffi/calls/files.ts";
import type { SocketAddress } from "../../../ffi/calls/ip_sockets.ts";
import { AF_INET6, NETLINK_NETFILTER } from "../../../ffi/calls/sockets.ts";
import { formatIp, parseIp, parsePrefix } from "../../../ffi/netlink/ip.ts";
import {
  addNatTable,
  describePublished,
  masquerading,
  type NatTable,
  type PublishedPort,
  publishing,
} from "../../../ffi/netlink/nftables.ts";
import { answerOutput, requestCalls, socketCalls } from "../../../ffi/netlink/request.ts";
import type { Fixes } from "../../../ffi/fix.ts";
import { writeSetting } from "../sysctl.ts";
import type { PlanBuilder } from "../../builder.ts";
import type { HostService } from "../../parent_work.ts";

import type { MasqueradeStep, PublishStep } from "../../../recipe/steps/network/translation.ts";

/** Lowers `masquerade`. */
export function lowerMasquerade({ source, inside }: MasqueradeStep, plan: PlanBuilder): void {
  const network = parsePrefix(source)!;
  const rules = [{ hook: "postrouting", rule: masquerading(network) }] as const;
  translate(plan, inside, { family: network.family, rules }, ["masquerade", source]);
}

/** Lowers `publish`. */
export function lowerPublish(
  { port, address, hostAddress, to: toPort = port, protocol = "tcp", inside }: PublishStep,
  plan: PlanBuilder,
): void {
  const to = parseIp(address)!;
  const host = hostAddress === undefined ? undefined : parseIp(hostAddress)!;
  const published = { protocol, host, port, to, toPort };
  const rule = publishing(published);
  // Packets of other machines pass prerouting, those of this machine pass output.
  const rules = [{ hook: "prerouting", rule }, { hook: "output", rule }] as const;
  const words = ["publish", describePublished(published)];
  requireFree(published, plan);
  translate(plan, inside, { family: to.family, rules }, words, {
    service: "reserve-port",
    protocol,
    address: socketAddress(published),
  });
}

/** Refuses a port that an earlier step publishes in the same network. */
function requireFree(published: PublishedPort, plan: PlanBuilder): void {
  const others = plan.state.network.published ??= [];
  const isTaken = others.some((other) =>
    other.protocol === published.protocol && other.port === published.port &&
    (other.host === undefined || published.host === undefined
      ? other.to.family === published.to.family
      : formatIp(other.host.bytes) === formatIp(published.host.bytes))
  );
  if (isTaken) {
    plan.refuse(`an earlier step publishes ${published.protocol} port ${published.port} already`);
  }
  others.push(published);
}

/** Returns the port of this machine that is published; without an address, that of all. */
function socketAddress({ host, port, to }: PublishedPort): SocketAddress {
  const bytes = host?.bytes ?? new Uint8Array(to.bytes.length);
  const ip = formatIp(bytes);
  const text = to.family === AF_INET6 ? `[${ip}]:${port}` : `${ip}:${port}`;
  return { family: to.family, bytes, port, text };
}

function translate(
  plan: PlanBuilder,
  inside: boolean | undefined,
  table: Omit<NatTable, "name" | "owned">,
  words: readonly string[],
  ...before: readonly HostService[]
): void {
  plan.needs("net", HOSTS_NETWORK);
  const messages = (name: string) => addNatTable({ ...table, name, owned: inside !== true });
  if (inside === true) {
    writeSetting(plan, forwardingSetting(table.family), "1");
    const [socket, ...options] = socketCalls(NETLINK_NETFILTER, fdOf);
    const name = `ramekin-${words.join(" ").replaceAll(/[^\w.]+/g, "-")}`;
    const request = requestCalls(fdOf(socket), messages(name), answerOutput(), words);
    plan.calls([socket, ...options, ...request, close(fdOf(socket))], NO_TRANSLATION);
    return;
  }
  if (plan.state.network.outside !== undefined) {
    plan.refuse(
      "the network outside is another container's; put the step into that one's recipe, with " +
        "{ inside: true }",
    );
  }
  mayChangeOutside(plan);
  plan.access.recordNetworkChange();
  forwardsByScript(plan);
  plan.syncWithParent(() => [...before, { service: "nat-table", table, words }]);
}

const NO_NF_TABLES =
  "this kernel has no NAT with nf_tables (modprobe nf_tables nft_chain_nat nft_masq " +
  "nft_fib_inet), or no tables that end with their script (Linux 5.12)";

/** The fixes for requests that translate addresses. */
export const NO_TRANSLATION: Fixes = {
  ENOENT: NO_NF_TABLES,
  EOPNOTSUPP: NO_NF_TABLES,
  EPROTONOSUPPORT: NO_NF_TABLES,
};

/** Returns the setting that turns on forwarding, as a path in /proc/sys. */
export function forwardingSetting(family: number): string {
  return family === AF_INET6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward";
}
