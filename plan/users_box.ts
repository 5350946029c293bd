/**
 * What a box for users cannot do: where the machine is known, the call itself finds out.
 *
 * @module
 */

import type { PlanBuilder } from "./builder.ts";

/**
 * Refuses what only root may do outside of a user namespace, in a box for users.
 *
 * @param what what root alone may do
 */
export function refuseForUsers(what: string, plan: PlanBuilder): void {
  const { state, host } = plan;
  if (host.isHere || state.inUserNamespace || state.caller.euid === 0) return;
  plan.refuse(
    `only root can ${what}, and the box is for any user; put unshare("user", ...) and mapRoot() ` +
      "first, or build it with --for=root",
  );
}
