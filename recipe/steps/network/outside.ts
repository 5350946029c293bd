/**
 * The steps `veth`, `macvlan` and `moveInterface`: interfaces that lead out of the container, into
 * the network that it was in before `unshare("net")`. See veth(4) and ip-link(8).
 *
 * @module
 */

import { MACVLAN_MODES, type MacvlanMode } from "../../../ffi/calls/constants/links.ts";
import { boolean, oneOf, optional } from "../../schema.ts";
import { interfaceName, ipPrefix } from "../../network_schema.ts";
import { type StepSchema, stepSchema } from "../../step_schema.ts";
export type { MacvlanMode };

/** Connects the container with the network outside by a pair of interfaces. */
export interface VethStep extends VethOptions {
  /** The name of the step. */
  readonly step: "veth";
  /** The name of its end in the container, of at most 15 bytes. */
  readonly name: string;
}

/** Options of {@linkcode veth}: the end outside. */
export interface VethOptions {
  /** The name of the end outside, of at most 15 bytes; without it, the kernel chooses one. */
  readonly peer?: string;
  /** An address of the end outside; needs `peer`. */
  readonly peerAddress?: string;
  /** A bridge outside; the end there becomes a port of it. */
  readonly bridge?: string;
}

/**
 * Connects the container with the network that it was in before `unshare("net")`, by two
 * interfaces: packets that go into one come out of the other. Both are up, and end with the
 * container.
 *
 * Needs `unshare("net")` before it, and root where the network outside is the host's. An ordinary
 * user's recipe first joins a container that has a network: see the example. See veth(4).
 *
 * @throws {RecipeError} for `peerAddress` without `peer`
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, or by an ordinary
 * user where the network outside is the host's
 * @throws {SyscallError} when it is run: `EEXIST` where an interface has one of the names already,
 * `ENODEV` where the bridge does not exist, `EOPNOTSUPP` where it is not a bridge, or this kernel
 * has no veth
 *
 * @example Two containers on the bridge of a third
 * ```ts
 * import { address, bridge, join, mapRoot, recipe, unshare, veth } from "@ramekin/ramekin";
 *
 * const lan = recipe(unshare("user", "net"), mapRoot(), bridge("lan"));
 * await using hub = lan.command("sleep", { args: ["60"] }).spawn();
 * const host = (ip: string) =>
 *   recipe(
 *     join(hub, "user", "net"),
 *     unshare("net"),
 *     veth("eth0", { bridge: "lan" }),
 *     address("eth0", ip),
 *   );
 * await using a = host("10.0.0.1/24").command("sleep", { args: ["60"] }).spawn();
 * await using b = host("10.0.0.2/24").command("sleep", { args: ["60"] }).spawn();
 * console.log(a.pid !== b.pid); // true
 * ```
 */
export function veth(name: string, options: VethOptions = {}): VethStep {
  return { step: "veth", name, ...options };
}

/** What the data of `veth` may be. */
export const vethSchema: StepSchema<VethStep> = stepSchema("veth", () => ({
  name: interfaceName(),
  peer: optional(interfaceName()),
  peerAddress: optional(ipPrefix()),
  bridge: optional(interfaceName()),
}), ({ peer, peerAddress }) => {
  return peerAddress !== undefined && peer === undefined
    ? `"peerAddress" needs "peer", the name of the end outside`
    : undefined;
});

/** Creates an interface on the network of an interface outside. */
export interface MacvlanStep extends MacvlanOptions {
  /** The name of the step. */
  readonly step: "macvlan";
  /** Its name, of at most 15 bytes. */
  readonly name: string;
}

/** Options of {@linkcode macvlan}. */
export interface MacvlanOptions {
  /** The interface outside. */
  readonly parent: string;
  /**
   * How the interfaces on one parent reach one another; none of them reaches the parent itself. See
   * ip-link(8).
   *
   * @default {"bridge"}
   */
  readonly mode?: MacvlanMode;
}

/**
 * Creates an interface with a hardware address of its own on the network of an interface outside,
 * in the network that the container was in before `unshare("net")`, and brings it up. It ends with
 * the container. Needs `unshare("net")` before it, and root where that network is the host's. See
 * ip-link(8).
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, or by an ordinary
 * user where the network outside is the host's
 * @throws {SyscallError} when it is run: `ENODEV` where the parent does not exist, `EINVAL` where
 * it cannot have such interfaces, as lo, `EEXIST` where an interface has the name already,
 * `EOPNOTSUPP` where this kernel has no macvlan
 *
 * @example Root's container, on the network of eth0
 * ```ts
 * import { macvlan, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("net"), macvlan("eth0", { parent: "eth0" }));
 * console.log(box.steps.length);
 * ```
 */
export function macvlan(name: string, options: MacvlanOptions): MacvlanStep {
  return { step: "macvlan", name, ...options };
}

/** What the data of `macvlan` may be. */
export const macvlanSchema: StepSchema<MacvlanStep> = stepSchema("macvlan", () => ({
  name: interfaceName(),
  parent: interfaceName(),
  mode: optional(oneOf(Object.keys(MACVLAN_MODES))),
}));

/** Moves an interface into the container. */
export interface MoveInterfaceStep extends MoveInterfaceOptions {
  /** The name of the step. */
  readonly step: "moveInterface";
  /** Its name outside. */
  readonly name: string;
}

/** Options of {@linkcode moveInterface}. */
export interface MoveInterfaceOptions {
  /** Its name in the container, of at most 15 bytes; without it, the name does not change. */
  readonly as?: string;
  /**
   * Whether it is the container's for good: the script does not move it back, so that the container may
   * outlive it. When the network ends, the kernel does what it does where the script was killed.
   */
  readonly stays?: boolean;
}

/**
 * Moves an interface into the container from the network that it was in before `unshare("net")`,
 * and brings it up; it loses its addresses. When the container ends, the script moves the interface
 * back to the host, down and under its old name. If the script was killed, or the interface is from
 * another container, the kernel moves a physical device back to the initial network namespace, and
 * deletes a virtual one (veth, macvlan, dummy ...). Needs `unshare("net")` before it, and root
 * where the network outside is the host's. See network_namespaces(7).
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, or by an ordinary
 * user where the network outside is the host's
 * @throws {SyscallError} when it is run: `ENODEV` where there is no such interface, `EINVAL` for
 * one that cannot be moved, such as lo or a bridge
 *
 * @example Root's container gets a network card
 * ```ts
 * import { moveInterface, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("net"), moveInterface("eth1", { as: "eth0" }));
 * console.log(box.steps.length);
 * ```
 */
export function moveInterface(
  name: string,
  options: MoveInterfaceOptions = {},
): MoveInterfaceStep {
  return { step: "moveInterface", name, ...options };
}

/** What the data of `moveInterface` may be. */
export const moveInterfaceSchema: StepSchema<MoveInterfaceStep> = stepSchema(
  "moveInterface",
  () => ({
    name: interfaceName(),
    as: optional(interfaceName()),
    stays: optional(boolean()),
  }),
);
