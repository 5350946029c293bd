/**
 * Lowers the step `disableUserNamespaces`.
 *
 * @module
 */

import { lowerMapCurrentUser } from "./id_maps.ts";
import { writeSetting } from "./sysctl.ts";
import { lowerUnshare } from "./unshare.ts";
import type { DisableUserNamespacesStep } from "../../recipe/steps/user_namespaces.ts";
import type { PlanBuilder } from "../builder.ts";

/** Lowers `disableUserNamespaces`. */
export function lowerDisableUserNamespaces(
  _step: DisableUserNamespacesStep,
  plan: PlanBuilder,
): void {
  plan.needs("user", "the host's limit would change");
  if (plan.state.joined.has("user")) {
    plan.refuse(
      'the limit of the joined user namespace would change; unshare("user")',
    );
  }
  if (!plan.state.idsMapped) plan.refuse("the ids have to be mapped before it: mapRoot()");
  if (plan.cursor.cameBefore("capabilities")) {
    plan.refuse("it restores all capabilities; put capabilities() after it");
  }
  writeSetting(plan, "user/max_user_namespaces", "1");
  lowerUnshare({ step: "unshare", kinds: ["user"] }, plan);
  lowerMapCurrentUser({ step: "mapCurrentUser" }, plan);
}
