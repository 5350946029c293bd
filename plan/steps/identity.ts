/**
 * Lowers the steps `setUser`, `capabilities`, `noNewPrivileges`.
 *
 * @module
 */

import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
  prctl,
} from "../../ffi/calls/processes.ts";
import { CAPABILITIES, type CapabilityName, capset } from "../../ffi/calls/users.ts";
import { type AccountFile, type UnknownAccount, userIn } from "../../host/accounts.ts";
import type { Fixes } from "../../ffi/fix.ts";
import type { CapabilitySets } from "../../recipe/steps/capability_sets.ts";
import type {
  CapabilitiesStep,
  NoNewPrivilegesStep,
  SetUserStep,
  UserIds,
} from "../../recipe/steps/identity.ts";
import type { PlanBuilder } from "../builder.ts";
import { changeIds } from "../change_ids.ts";

const LACKS_CAPABILITY: Fixes = {
  EPERM: "the process lacks the capability for this, or has dropped it",
};

/** Lowers `setUser`. */
export function lowerSetUser(step: SetUserStep, plan: PlanBuilder): void {
  const { keepCapabilities, keepGroups } = step;
  const { uid, gid = uid, groups } = step.name === undefined
    ? step as UserIds
    : namedUser(step.name, plan, keepGroups !== true && !plan.state.setgroupsDenied);
  if (groups !== undefined && plan.state.setgroupsDenied) {
    plan.refuse(
      `"groups" cannot be set, as the id map denies setgroups(2); leave them out, ` +
        `or map with mapIds({ ..., setgroups: "allow" })`,
    );
  }
  plan.access.recordIds({ uid, gid, groups });
  if (keepCapabilities === true) plan.call(prctl(PR_SET_KEEPCAPS, 1));
  for (const { call, fixes } of changeIds({ uid, gid, groups, keepGroups }, plan.state)) {
    plan.call(call, { fixes });
  }
  plan.state.ids = { uid, gid };
  if (!plan.state.setgroupsDenied && keepGroups !== true) plan.state.groupsChanged = true;
}

/** Finds a user in the files that the container has of them at this step. */
function namedUser(name: string, plan: PlanBuilder, setsGroups: boolean): UserIds {
  const read = (file: AccountFile) => plan.facts.accountFile(accountPath(`/etc/${file}`, plan));
  const unknown = ({ issue, advice }: UnknownAccount) =>
    plan.refuse(`the container ${issue}; ${advice.join("; ")}`);
  const { uid, gid, groups } = userIn(read, name, unknown);
  return { uid, gid, ...(setsGroups && { groups }) };
}

/** The file of this machine that the container has at a path. */
function accountPath(path: string, plan: PlanBuilder): string {
  const { mounts } = plan.state;
  const { origin } = mounts.originOf(path);
  const asIds = "setUser({ uid, gid }) takes ids";
  if (origin === undefined) {
    return plan.refuse(
      `${path} is no file of this machine at this step, to look up names; ${asIds}`,
    );
  }
  plan.access.recordRead(path);
  const resolved = plan.facts.resolve(origin);
  // In the container, a link may lead to another file than here.
  if (resolved.path === origin || mounts.atHostRoot) return resolved.path;
  return plan.refuse(`${origin} leads over a symbolic link, which is not followed; ${asIds}`);
}

/** Lowers `capabilities`. */
export function lowerCapabilities({ keep, ...sets }: CapabilitiesStep, plan: PlanBuilder): void {
  plan.state.capabilities.limit({ ...sets, ...(keep && { keep }) });
  const step: CapabilitySets = keep === undefined ? sets : {
    bounding: keep,
    permitted: keep,
    inheritable: keep,
    ambient: keep,
  };
  // The bounding set comes first: PR_CAPBSET_DROP needs CAP_SETPCAP, which capset(2) may drop.
  if (step.bounding !== undefined) {
    for (const [name, number] of Object.entries(CAPABILITIES)) {
      if (step.bounding.includes(name as CapabilityName)) continue;
      // An older kernel does not know the numbers of newer capabilities.
      plan.call(prctl(PR_CAPBSET_DROP, number), { accept: ["EINVAL"], fixes: LACKS_CAPABILITY });
    }
  }
  const { ambient = [], effective = [] } = step;
  if ((step.permitted ?? step.effective ?? step.inheritable ?? step.ambient) === undefined) {
    return;
  }
  const permitted = step.permitted ?? [...effective, ...ambient];
  plan.call(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL));
  plan.call(
    capset({
      permitted,
      effective: step.effective ?? permitted,
      inheritable: step.inheritable ?? ambient,
    }),
    { fixes: { EPERM: "a process can only keep capabilities that it has" } },
  );
  for (const name of ambient) {
    plan.call(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAPABILITIES[name]), {
      fixes: LACKS_CAPABILITY,
    });
  }
}

/** Lowers `noNewPrivileges`. */
export function lowerNoNewPrivileges(_step: NoNewPrivilegesStep, plan: PlanBuilder): void {
  plan.call(prctl(PR_SET_NO_NEW_PRIVS, 1));
  plan.state.gainsNoPrivileges = true;
}
