/**
 * The steps `masquerade` and `publish`: the way from a container's network to what lies beyond its
 * neighbour, and back. See nft(8).
 *
 * @module
 */

import { type Call, describeCall, ResultOf } from "../../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_WRONLY, openat, write } from "../../../ffi/calls/files.ts";
import { AF_INET6, NETLINK_NETFILTER, netlinkSocket } from "../../../ffi/calls/sockets.ts";
import { UnsupportedError } from "../../../ffi/errors.ts";
import { parseIp, parsePrefix } from "../../../ffi/netlink/ip.ts";
import {
  addNatTable,
  describePublished,
  masquerading,
  type NatTable,
  publishing,
} from "../../../ffi/netlink/nftables.ts";
import { answerOutput, requestCalls, send, socketCalls } from "../../../ffi/netlink/request.ts";
import { NetlinkSocket } from "../../../ffi/netlink/socket.ts";
import type { Draft } from "../../drafting/draft.ts";
import { boolean, integer, oneOf, optional } from "../../fields.ts";
import { readHostNumber } from "../../drafting/host_file.ts";
import { mayChangeOutside } from "../../networking/network.ts";
import { ipAddress, ipPrefix } from "../../networking/network_fields.ts";
import type { StepDefinition } from "../../step.ts";
import { HOSTS_NETWORK } from "./links.ts";

/** Lets a network be seen under one address. */
export interface MasqueradeStep extends TranslationOptions {
  /** Which step it is. */
  readonly step: "masquerade";
  /** The network: `"10.7.0.0/24"`. */
  readonly source: string;
}

/** Options of {@linkcode masquerade} and {@linkcode publish}. */
export interface TranslationOptions {
  /**
   * Whether it is done in the container's own network, which then passes packets on, and not in the
   * host's: for a container that others are plugged into.
   */
  readonly inside?: boolean;
}

/**
 * Lets what comes from a network leave it under the address of this machine, so that answers find
 * back: on the host, or with `inside` in the container, where it is a router. The rule is gone when
 * the container ends, also when the script is killed.
 *
 * The host has to pass packets on (`sysctl net.ipv4.ip_forward=1`); it is not made to. Needs
 * nf_tables, and on the host root and Linux 5.12. See nft(8).
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, and but for `inside`
 * by an ordinary user, or where the network outside is another container's
 * @throws {UnsupportedError} when it is run where the host passes no packets on
 * @throws {SyscallError} when it is run: `EPROTONOSUPPORT`, `EOPNOTSUPP` or `ENOENT` where this
 * kernel does not translate addresses by nf_tables
 *
 * @example Root's container reaches what the host reaches
 * ```ts
 * import { address, masquerade, recipe, route, unshare, veth } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("net"),
 *   veth("eth0", { peer: "box", peerAddress: "10.7.0.1/24" }),
 *   address("eth0", "10.7.0.2/24"),
 *   route("default", { via: "10.7.0.1" }),
 *   masquerade("10.7.0.0/24"),
 * );
 * console.log(box.steps.length);
 * ```
 */
export function masquerade(source: string, options: TranslationOptions = {}): MasqueradeStep {
  return { step: "masquerade", source, ...options };
}

/** How `masquerade` is checked and planned. */
export const masqueradeDefinition: StepDefinition<MasqueradeStep> = {
  step: "masquerade",
  get fields() {
    return { source: ipPrefix(), inside: optional(boolean()) };
  },
  plan({ source, inside }, draft) {
    const network = parsePrefix(source)!;
    const rules = [{ hook: "postrouting", rule: masquerading(network) }] as const;
    translate(draft, inside, { family: network.family, rules }, ["masquerade", source]);
  },
};

/** Lets a port of this machine lead to a container. */
export interface PublishStep extends PublishOptions {
  /** Which step it is. */
  readonly step: "publish";
  /** The port of this machine. */
  readonly port: number;
}

/** Options of {@linkcode publish}. */
export interface PublishOptions extends TranslationOptions {
  /** The address that it leads to. */
  readonly address: string;
  /** The port that it leads to there; without it, the same. */
  readonly to?: number;
  /**
   * The protocol that it is a port of.
   *
   * @default {"tcp"}
   */
  readonly protocol?: "tcp" | "udp";
}

/**
 * Lets a port of all addresses of this machine, those of the loopback interface apart, lead to an
 * address of a container: on the host, or with `inside` in the container, where it is a router. Ends
 * and needs what {@linkcode masquerade} does.
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, and but for `inside`
 * by an ordinary user, or where the network outside is another container's
 * @throws {UnsupportedError} when it is run where the host passes no packets on
 * @throws {SyscallError} when it is run: `EPROTONOSUPPORT`, `EOPNOTSUPP` or `ENOENT` where this
 * kernel does not translate addresses by nf_tables
 *
 * @example Port 8080 of the host is port 80 of root's container
 * ```ts
 * import { address, publish, recipe, route, unshare, veth } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("net"),
 *   veth("eth0", { peer: "box", peerAddress: "10.7.0.1/24" }),
 *   address("eth0", "10.7.0.2/24"),
 *   route("default", { via: "10.7.0.1" }),
 *   publish(8080, { address: "10.7.0.2", to: 80 }),
 * );
 * console.log(box.steps.length);
 * ```
 */
export function publish(port: number, options: PublishOptions): PublishStep {
  return { step: "publish", port, ...options };
}

/** How `publish` is checked and planned. */
export const publishDefinition: StepDefinition<PublishStep> = {
  step: "publish",
  get fields() {
    return {
      port: integer(1, 65535),
      address: ipAddress(),
      to: optional(integer(1, 65535)),
      protocol: optional(oneOf(["tcp", "udp"])),
      inside: optional(boolean()),
    };
  },
  plan({ port, address, to: toPort = port, protocol = "tcp", inside }, draft) {
    const to = parseIp(address)!;
    const published = { protocol, port, to, toPort };
    const rule = publishing(published);
    // What others send comes by the first, what this machine itself sends by the second.
    const rules = [{ hook: "prerouting", rule }, { hook: "output", rule }] as const;
    const words = ["publish", describePublished(published)];
    translate(draft, inside, { family: to.family, rules }, words);
  },
};

function translate(
  draft: Draft,
  inside: boolean | undefined,
  table: Omit<NatTable, "name" | "owned">,
  words: readonly string[],
): void {
  draft.needs("net", HOSTS_NETWORK);
  const messages = (name: string) => addNatTable({ ...table, name, owned: inside !== true });
  if (inside === true) {
    draft.gate?.writesProc();
    for (const call of forwardingCalls(table.family)) draft.call(call);
    const [socket, ...options] = socketCalls(NETLINK_NETFILTER, fdOf);
    const name = `ramekin-${words.join(" ").replaceAll(/[^\w.]+/g, "-")}`;
    const request = requestCalls(fdOf(socket), messages(name), answerOutput(), words);
    for (const call of [socket, ...options, ...request, close(fdOf(socket))]) draft.call(call);
    return;
  }
  if (draft.container.network.outside !== undefined) {
    draft.refuse(
      "the network outside is another container's; put the step into that one's recipe, with " +
        "{ inside: true }",
    );
  }
  mayChangeOutside(draft);
  draft.gate?.changesNetwork();
  draft.meet(() => [{
    does: [describeCall(send(fdOf(netlinkSocket(NETLINK_NETFILTER)), messages("ramekin-...")))],
    begin() {
      needsForwarding(table.family);
      // The kernel takes the table away when this socket is closed, by whatever end.
      const socket = new NetlinkSocket(NETLINK_NETFILTER);
      try {
        // A name that the table of no other container has.
        socket.request(messages(`ramekin-${crypto.randomUUID()}`), words);
      } catch (error) {
        socket.close();
        throw error;
      }
      return () => socket.close();
    },
  }]);
}

function forwardingFile(family: number): string {
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

function needsForwarding(family: number): void {
  const file = forwardingFile(family);
  if (readHostNumber(file) === 1) return;
  const name = file.slice("/proc/sys/".length).replaceAll("/", ".");
  throw new UnsupportedError(
    `the host passes no packets on between its interfaces; sysctl -w ${name}=1 has it do so`,
  );
}

function fdOf(socket: Call): ResultOf {
  return new ResultOf(socket, "socket");
}
