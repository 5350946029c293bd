/**
 * Lowers the steps `hostname`, `domainname`.
 *
 * @module
 */

import { setdomainname, sethostname } from "../../ffi/calls/namespaces.ts";
import type { DomainnameStep, HostnameStep } from "../../recipe/steps/names.ts";
import type { PlanBuilder } from "../builder.ts";
import { needsPrivilege } from "../fixes.ts";

/** Lowers `hostname`. */
export function lowerHostname(step: HostnameStep, plan: PlanBuilder): void {
  plan.needs("uts", "it would rename the host");
  plan.requireRights("uts");
  plan.call(sethostname(step.name), {
    fixes: { EPERM: needsPrivilege(plan.state.inUserNamespace) },
  });
}

/** Lowers `domainname`. */
export function lowerDomainname(step: DomainnameStep, plan: PlanBuilder): void {
  plan.needs("uts", "it would rename the host's domain");
  plan.requireRights("uts");
  plan.call(setdomainname(step.name), {
    fixes: { EPERM: needsPrivilege(plan.state.inUserNamespace) },
  });
}
