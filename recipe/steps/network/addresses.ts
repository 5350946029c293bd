/**
 * The steps `address` and `route`. See ip-address(8) and ip-route(8).
 *
 * @module
 */

import { type IpPrefix, parseIp, parsePrefix } from "../../../ffi/netlink/ip.ts";
import { optional } from "../../schema.ts";
import { destination, interfaceName, ipAddress, ipPrefix } from "../../network_schema.ts";
import { type StepSchema, stepSchema } from "../../step_schema.ts";

/** Gives an interface an address. */
export interface AddressStep {
  /** The name of the step. */
  readonly step: "address";
  /** The interface. */
  readonly device: string;
  /** The address with the length of its network's prefix: `"10.0.0.2/24"`, `"fd00::2/64"`. */
  readonly address: string;
}

/**
 * Gives an interface of the container an IPv4 or IPv6 address with the length of its network's
 * prefix. Packets for that network then go through the interface. Needs `unshare("net")` before it.
 * See ip-address(8).
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it
 * @throws {SyscallError} when it is run: `ENODEV` where there is no such interface, `EEXIST` where
 * it has the address already, `EACCES` where IPv6 is off, `EPERM` where the network belongs to
 * another user namespace
 *
 * @example
 * ```ts
 * import { address, bridge, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "net"),
 *   mapRoot(),
 *   bridge("lan"),
 *   address("lan", "10.0.0.1/24"),
 *   address("lan", "fd00::1/64"),
 * );
 * console.log(box.plan().toString());
 * ```
 */
export function address(device: string, address: string): AddressStep {
  return { step: "address", device, address };
}

/** What the data of `address` may be. */
export const addressSchema: StepSchema<AddressStep> = stepSchema(
  "address",
  () => ({ device: interfaceName(), address: ipPrefix() }),
);

/** Adds a route. */
export interface RouteStep extends RouteOptions {
  /** The name of the step. */
  readonly step: "route";
  /** The network that the packets are for, `"10.1.0.0/16"`, or `"default"` for all others. */
  readonly destination: string;
}

/** Options of {@linkcode route}: at least one of them. */
export interface RouteOptions {
  /** The address of the gateway that they go to. */
  readonly via?: string;
  /** The interface that they go through. */
  readonly device?: string;
}

/**
 * Adds a route: packets for a network go to a gateway, through an interface, or both. `"default"`
 * stands for all addresses of the gateway's family, IPv4 without a gateway; `"::/0"` for all of
 * IPv6. Needs `unshare("net")` before it. See ip-route(8).
 *
 * @throws {RecipeError} without `via` and `device`, or where one of the network and `via` is IPv4
 * and the other IPv6
 * @throws {RecipeError} when it is planned without `unshare("net")` before it
 * @throws {SyscallError} when it is run: `ENETUNREACH`, for IPv6 `EHOSTUNREACH`, where the gateway
 * is not in a network of the container's, `ENODEV` where there is no such interface, `ENETDOWN`
 * where it is down, `EEXIST` where the route exists already, `EPERM` where the network belongs to
 * another user namespace
 *
 * @example
 * ```ts
 * import { address, bridge, mapRoot, recipe, route, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "net"),
 *   mapRoot(),
 *   bridge("lan"),
 *   address("lan", "10.0.0.2/24"),
 *   route("default", { via: "10.0.0.1" }),
 * );
 * console.log(box.plan().toString());
 * ```
 */
export function route(destination: string, options: RouteOptions): RouteStep {
  return { step: "route", destination, ...options };
}

/** What the data of `route` may be. */
export const routeSchema: StepSchema<RouteStep> = stepSchema("route", () => ({
  destination: destination(),
  via: optional(ipAddress()),
  device: optional(interfaceName()),
}), (step) => {
  const { destination, via, device } = step;
  if (via === undefined && device === undefined) {
    return `needs "via", the address of a gateway, or "device", an interface`;
  }
  return via !== undefined && parseIp(via)!.family !== prefixOf(step).family
    ? `"${destination}" and "${via}" are not both IPv4 or both IPv6`
    : undefined;
});

/** The network of a route; the default one is of the family of its gateway. */
export function prefixOf({ destination, via }: RouteStep): IpPrefix {
  if (destination !== "default") return parsePrefix(destination)!;
  return parsePrefix(via?.includes(":") ? "::/0" : "0.0.0.0/0")!;
}
