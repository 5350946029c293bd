/**
 * The steps that name the machine: `hostname` and `domainname`. See uts_namespaces(7).
 *
 * @module
 */

import { type Schema, text } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** The longest name that the kernel takes: __NEW_UTS_LEN. */
const NAME_BYTES = 64;

/** Sets the hostname of the container's uts namespace. */
export interface HostnameStep {
  /** The name of the step. */
  readonly step: "hostname";
  /** The name, of at most 64 bytes. */
  readonly name: string;
}

/**
 * Sets the hostname. Needs `unshare("uts")` before it. See sethostname(2).
 *
 * @throws {RecipeError} when it is planned without `unshare("uts")` before it, or after a further user
 * namespace, which has no capabilities over that of the name
 * @throws {SyscallError} when it is run: `EPERM` where the capability for it was dropped
 *
 * @example
 * ```ts
 * import { hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "uts"), mapRoot(), hostname("a-cooler-hostname"));
 * const { stdout } = await box.command("uname", { args: ["-n"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // a-cooler-hostname
 * ```
 */
export function hostname(name: string): HostnameStep {
  return { step: "hostname", name };
}

/** The name of a machine. */
export function hostnameText(): Schema {
  return text({ min: 1, max: NAME_BYTES });
}

/** What the data of `hostname` may be. */
export const hostnameSchema: StepSchema<HostnameStep> = stepSchema(
  "hostname",
  () => ({ name: hostnameText() }),
);

/** Sets the NIS domain name of the container's uts namespace. */
export interface DomainnameStep {
  /** The name of the step. */
  readonly step: "domainname";
  /** The name, of at most 64 bytes. */
  readonly name: string;
}

/**
 * Sets the NIS domain name. Needs `unshare("uts")` before it. See setdomainname(2).
 *
 * @throws {RecipeError} when it is planned without `unshare("uts")` before it, or after a further user
 * namespace, which has no capabilities over that of the name
 * @throws {SyscallError} when it is run: `EPERM` where the capability for it was dropped
 *
 * @example
 * ```ts
 * import { domainname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "uts"), mapRoot(), domainname("example"));
 * console.log(box.plan().toString());
 * ```
 */
export function domainname(name: string): DomainnameStep {
  return { step: "domainname", name };
}

/** What the data of `domainname` may be. */
export const domainnameSchema: StepSchema<DomainnameStep> = stepSchema(
  "domainname",
  () => ({ name: hostnameText() }),
);
