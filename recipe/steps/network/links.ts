/**
 * The steps `loopback`, `bridge` and `dummy`: interfaces of the container's own. See ip-link(8).
 *
 * @module
 */

import { list, optional } from "../../schema.ts";
import { interfaceName } from "../../network_schema.ts";
import { type StepSchema, stepSchema } from "../../step_schema.ts";

/** Brings the loopback interface up. */
export interface LoopbackStep {
  /** The name of the step. */
  readonly step: "loopback";
}

/**
 * Brings the loopback interface up, with 127.0.0.1 and ::1. A new network namespace has only this
 * interface, and it is down. Needs `unshare("net")` before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it
 * @throws {SyscallError} when it is run: `EPERM` where the network belongs to another user
 * namespace
 *
 * @example
 * ```ts
 * import { loopback, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "net"), mapRoot(), loopback());
 * const { stdout } = await box.command("cat", { args: ["/proc/net/dev"] }).output();
 * console.log(new TextDecoder().decode(stdout));
 * ```
 */
export function loopback(): LoopbackStep {
  return { step: "loopback" };
}

/** What the data of `loopback` may be. */
export const loopbackSchema: StepSchema<LoopbackStep> = stepSchema("loopback", () => ({}));

/** Creates a bridge. */
export interface BridgeStep extends BridgeOptions {
  /** The name of the step. */
  readonly step: "bridge";
  /** Its name, of at most 15 bytes. */
  readonly name: string;
}

/** Options of {@linkcode bridge}. */
export interface BridgeOptions {
  /** Interfaces of the container that become ports of the bridge. */
  readonly ports?: readonly string[];
}

/**
 * Creates a bridge in the container's network namespace and brings it up: a switch that forwards
 * packets between its ports. Other containers connect to it with `join` and `veth`. Needs
 * `unshare("net")` before it; the bridge ends with that namespace.
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it
 * @throws {SyscallError} when it is run: `EEXIST` where an interface has the name already, `ENODEV`
 * where a port does not exist, `EINVAL` for one that cannot be a port, such as lo, `EOPNOTSUPP`
 * where this kernel has no bridges, `EPERM` where the network belongs to another user namespace
 *
 * @example
 * ```ts
 * import { address, bridge, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const lan = recipe(
 *   unshare("user", "net"),
 *   mapRoot(),
 *   bridge("lan"),
 *   address("lan", "10.0.0.1/24"),
 * );
 * console.log((await lan.command("true").output()).success); // true
 * ```
 */
export function bridge(name: string, options: BridgeOptions = {}): BridgeStep {
  return { step: "bridge", name, ...options };
}

/** What the data of `bridge` may be. */
export const bridgeSchema: StepSchema<BridgeStep> = stepSchema(
  "bridge",
  () => ({ name: interfaceName(), ports: optional(list(interfaceName())) }),
);

/** Creates a dummy interface. */
export interface DummyStep {
  /** The name of the step. */
  readonly step: "dummy";
  /** Its name, of at most 15 bytes. */
  readonly name: string;
}

/**
 * Creates a dummy interface, which holds addresses and sends packets nowhere, and brings it up.
 * Needs `unshare("net")` before it, and a kernel with CONFIG_DUMMY; the interface ends with the
 * namespace.
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it
 * @throws {SyscallError} when it is run: `EOPNOTSUPP` where this kernel has no such interfaces,
 * `EEXIST` where one has the name already, `EPERM` where the network belongs to another user
 * namespace
 *
 * @example
 * ```ts
 * import { address, dummy, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "net"),
 *   mapRoot(),
 *   dummy("holder"),
 *   address("holder", "10.0.0.1/32"),
 * );
 * console.log(box.plan().toString());
 * ```
 */
export function dummy(name: string): DummyStep {
  return { step: "dummy", name };
}

/** What the data of `dummy` may be. */
export const dummySchema: StepSchema<DummyStep> = stepSchema(
  "dummy",
  () => ({ name: interfaceName() }),
);
