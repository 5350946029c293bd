/**
 * The steps `masquerade` and `publish`: address translation between a container's network and the
 * networks beyond it. See nft(8).
 *
 * @module
 */

import { boolean, integer, oneOf, optional } from "../../schema.ts";
import { formatIp, parseIp } from "../../../ffi/netlink/ip.ts";
import { ipAddress, ipPrefix } from "../../network_schema.ts";
import { type StepSchema, stepSchema } from "../../step_schema.ts";

/** Translates the source addresses of a network. */
export interface MasqueradeStep extends TranslationOptions {
  /** The name of the step. */
  readonly step: "masquerade";
  /** The network: `"10.7.0.0/24"`. */
  readonly source: string;
}

/** Options of {@linkcode masquerade} and {@linkcode publish}. */
export interface TranslationOptions {
  /**
   * Whether the rule is in the container's own network, which then forwards packets, and not in the
   * host's: for a container that others are connected to.
   */
  readonly inside?: boolean;
}

/**
 * Gives packets from a network the address of this machine when they leave it, so that replies come
 * back: on the host, or with `inside` in the container, which is then a router. The rule ends with
 * the container, even if the script is killed.
 *
 * The host has to forward packets (`sysctl net.ipv4.ip_forward=1`); the step does not turn that on.
 * Needs nf_tables, and on the host root and Linux 5.12. See nft(8).
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it; without `inside`, by
 * an ordinary user, where the network outside is another container's, or with `dieWithParent(null)`
 * @throws {UnsupportedError} when it is run where the host does not forward packets
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

/** What the data of `masquerade` may be. */
export const masqueradeSchema: StepSchema<MasqueradeStep> = stepSchema(
  "masquerade",
  () => ({ source: ipPrefix(), inside: optional(boolean()) }),
);

/** Forwards a port of this machine to a container. */
export interface PublishStep extends PublishOptions {
  /** The name of the step. */
  readonly step: "publish";
  /** The port of this machine. */
  readonly port: number;
}

/** Options of {@linkcode publish}. */
export interface PublishOptions extends TranslationOptions {
  /** The address that it is forwarded to. */
  readonly address: string;
  /**
   * The address of this machine whose port is forwarded; without it, that of all addresses other than
   * those of the loopback interface. Programs of this machine reach the container at `address`.
   */
  readonly hostAddress?: string;
  /** The port that it is forwarded to; without it, the same port. */
  readonly to?: number;
  /**
   * The protocol of the port.
   *
   * @default {"tcp"}
   */
  readonly protocol?: "tcp" | "udp";
}

/**
 * Forwards a port of this machine to an address of a container, on the host, or with `inside` in the
 * container, which is then a router. The rule ends when that of {@linkcode masquerade} does, and needs
 * the same. On the host, no other container can publish the port meanwhile, and no program can use it.
 *
 * @throws {RecipeError} where `hostAddress` is of the loopback interface, or one of it and `address`
 * is IPv4 and the other IPv6
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, or where an earlier step
 * publishes the port; without `inside`, by an ordinary user, where the network outside is another
 * container's, or with `dieWithParent(null)`
 * @throws {UnsupportedError} when it is run where the host does not forward packets
 * @throws {SyscallError} when it is run: `EADDRINUSE` where the port is taken, `EADDRNOTAVAIL` where
 * this machine does not have `hostAddress`, `EPROTONOSUPPORT`, `EOPNOTSUPP` or `ENOENT` where this
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

/** What the data of `publish` may be. */
export const publishSchema: StepSchema<PublishStep> = stepSchema("publish", () => ({
  port: integer(1, 65535),
  address: ipAddress(),
  hostAddress: optional(ipAddress()),
  to: optional(integer(1, 65535)),
  protocol: optional(oneOf(["tcp", "udp"])),
  inside: optional(boolean()),
}), ({ address, hostAddress }) => {
  if (hostAddress === undefined) return undefined;
  const host = parseIp(hostAddress)!;
  if (host.family !== parseIp(address)!.family) {
    return `"${hostAddress}" and "${address}" are not both IPv4 or both IPv6`;
  }
  if (host.bytes.every((byte) => byte === 0)) {
    return `without "hostAddress", all addresses are published`;
  }
  const isLoopback = host.bytes.length === 4
    ? host.bytes[0] === 127
    : formatIp(host.bytes) === "::1";
  return isLoopback
    ? `the kernel forwards no packets of ${hostAddress}; programs of this machine reach the ` +
      `container at ${address} without publish()`
    : undefined;
});
