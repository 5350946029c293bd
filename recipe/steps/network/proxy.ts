/**
 * The step `proxy`: some hosts, which the script passes connections on to.
 *
 * @module
 */

import { grantedHost } from "../../granted_host.ts";
import { list, optional } from "../../schema.ts";
import { type StepSchema, stepSchema } from "../../step_schema.ts";

/** Lets the program reach some hosts by a proxy. */
export interface ProxyStep {
  /** The name of the step. */
  readonly step: "proxy";
  /** The hosts. */
  readonly hosts: readonly string[];
  /** Those of them that are not reached. */
  readonly deny?: readonly string[];
}

/**
 * Lets the program reach some hosts: the script is a proxy to these, on the container's loopback
 * interface, which programs find by `HTTP_PROXY` and similar variables. The container has no other
 * network. Needs `unshare("net")` before it, brings the loopback interface up, and serves as long as
 * the script runs; the script needs `--allow-net` for the hosts.
 *
 * An entry is a name (`"example.org"`), one with all names below it (`"*.example.org"`), an address or
 * a range of addresses (`"10.0.0.0/8"`), each with a port (`"example.org:443"`) or all, as in
 * `permissions: { net }`. A name leads to its public addresses, and to others only if the list has
 * them too.
 *
 * @throws {RecipeError} for an entry that is no host
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, twice, with a list of
 * hosts in the command's permissions, after a later `unshare("user")`, for a container that outlives
 * the script, or for a box; no call of it fails
 *
 * @example
 * ```ts
 * import { mapRoot, proxy, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "net"), mapRoot(), proxy(["example.org:443"]));
 * const { stdout } = await box.command("printenv", { args: ["HTTPS_PROXY"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // http://127.0.0.1:3128
 * ```
 */
export function proxy(
  hosts: readonly string[],
  options: Pick<ProxyStep, "deny"> = {},
): ProxyStep {
  return { step: "proxy", hosts, ...options };
}

/** What the data of `proxy` may be. */
export const proxySchema: StepSchema<ProxyStep> = stepSchema("proxy", () => ({
  hosts: list(grantedHost(), 1),
  deny: optional(list(grantedHost())),
}));
