/**
 * The steps that say who the program is and what it may: `setUser`, `capabilities` and
 * `noNewPrivileges`. See credentials(7) and capabilities(7).
 *
 * @module
 */

import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_SET_NO_NEW_PRIVS,
  prctl,
} from "../../ffi/calls/processes.ts";
import {
  CAPABILITIES,
  type CapabilityName,
  capset,
  setgroups,
  setresgid,
  setresuid,
} from "../../ffi/calls/users.ts";
import { id, list, oneOf, optional } from "../fields.ts";
import type { StepDefinition } from "../step.ts";
import type { CapabilitySets } from "./capability_sets.ts";

/** Changes the user and the groups. */
export interface SetUserStep extends UserIds {
  /** Which step it is. */
  readonly step: "setUser";
}

/** The ids of a user, as the container's user namespace has them. */
export interface UserIds {
  /** The user id: real, effective and saved. */
  readonly uid: number;
  /**
   * The group id: real, effective and saved.
   *
   * @default the user id
   */
  readonly gid?: number;
  /**
   * The supplementary groups. Where setgroups(2) is denied, as after `mapRoot`, none can be set and
   * those of the caller stay.
   *
   * @default none
   */
  readonly groups?: readonly number[];
}

/**
 * Changes the user, the group and the supplementary groups; from root to another user, this takes
 * the capabilities away. The ids have to be mapped, in a user namespace. See setresuid(2).
 *
 * @throws {RecipeError} when it is planned with `groups` where setgroups(2) is denied
 * @throws {SyscallError} when it is run: `EPERM` without CAP_SETUID and CAP_SETGID, which an
 * ordinary user has in a user namespace only, `EINVAL` for an id that is not mapped into it
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, setUser, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user"), mapRoot(), setUser({ uid: 0 }));
 * const { stdout } = await box.command("id", { args: ["-u"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 0
 * ```
 */
export function setUser(ids: UserIds): SetUserStep {
  return { step: "setUser", ...ids };
}

/** How `setUser` is checked and planned. */
export const setUserDefinition: StepDefinition<SetUserStep> = {
  step: "setUser",
  get fields() {
    return { uid: id(), gid: optional(id()), groups: optional(list(id())) };
  },
  plan({ uid, gid = uid, groups }, draft) {
    if (groups !== undefined && draft.container.setgroupsDenied) {
      draft.refuse(
        `"groups" cannot be set, as the id map denies setgroups(2); leave them out, ` +
          `or map with mapIds({ ..., setgroups: "allow" })`,
      );
    }
    if (!draft.container.setgroupsDenied) draft.call(setgroups(groups ?? []));
    draft.gate?.becomes({ uid, gid, groups });
    draft.call(setresgid(gid, gid, gid));
    draft.call(setresuid(uid, uid, uid));
    draft.container.ids = { uid, gid };
  },
};

/** Sets what the program may do beyond an ordinary user. */
export interface CapabilitiesStep extends CapabilitySets {
  /** Which step it is. */
  readonly step: "capabilities";
}

/**
 * Sets the capabilities: each set that is given becomes exactly what is listed. A program that root
 * runs has all of the bounding set again, so to hold root to less, list the bounding set.
 *
 * @throws {RecipeError} where the sets contradict each other
 * @throws {SyscallError} when it is run: `EPERM` for a capability that the process does not have,
 * and for `keep` and `bounding` without CAP_SETPCAP, which an ordinary user has in a user namespace
 * only
 *
 * @example Root that may do no more than an ordinary user
 * ```ts
 * import { capabilities, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user"), mapRoot(), capabilities({ keep: [] }));
 * const { stdout } = await box.command("grep", { args: ["CapEff", "/proc/self/status"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // CapEff:	0000000000000000
 * ```
 *
 * @example Root that may only bind low ports
 * ```ts
 * import { capabilities, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "net"),
 *   mapRoot(),
 *   capabilities({ bounding: ["CAP_NET_BIND_SERVICE"] }),
 * );
 * const { stdout } = await box.command("grep", { args: ["CapEff", "/proc/self/status"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // CapEff:	0000000000000400
 * ```
 */
export function capabilities(sets: CapabilitySets): CapabilitiesStep {
  return { step: "capabilities", ...sets };
}

/** How `capabilities` is checked and planned. */
export const capabilitiesDefinition: StepDefinition<CapabilitiesStep> = {
  step: "capabilities",
  get fields() {
    const capabilityList = optional(list(oneOf(Object.keys(CAPABILITIES))));
    return {
      keep: capabilityList,
      bounding: capabilityList,
      permitted: capabilityList,
      effective: capabilityList,
      inheritable: capabilityList,
      ambient: capabilityList,
    };
  },
  complaint({ keep, bounding, permitted, effective, inheritable, ambient }) {
    const others = bounding ?? permitted ?? effective ?? inheritable ?? ambient;
    if (keep !== undefined && others !== undefined) return `"keep" stands in place of all others`;
    const lacks = (set: readonly string[] | undefined, of: readonly string[] | undefined) =>
      of === undefined ? undefined : set?.find((name) => !of.includes(name));
    const notPermitted = lacks(effective, permitted) ?? lacks(ambient, permitted);
    if (notPermitted !== undefined) return `${notPermitted} is not in "permitted"`;
    const notInheritable = lacks(ambient, inheritable);
    if (notInheritable !== undefined) return `${notInheritable} is not in "inheritable"`;
    return undefined;
  },
  plan({ keep, ...sets }, draft) {
    draft.container.powers.limit({ ...sets, ...(keep && { keep }) });
    const step: CapabilitySets = keep === undefined ? sets : {
      bounding: keep,
      permitted: keep,
      inheritable: keep,
      ambient: keep,
    };
    // The bounding set first: dropping from it needs CAP_SETPCAP, which the others may take away.
    if (step.bounding !== undefined) {
      for (const [name, number] of Object.entries(CAPABILITIES)) {
        if (step.bounding.includes(name as CapabilityName)) continue;
        // A kernel that is older than a capability does not know its number.
        draft.call(prctl(PR_CAPBSET_DROP, number), { accept: ["EINVAL"] });
      }
    }
    const { ambient = [], effective = [] } = step;
    if ((step.permitted ?? step.effective ?? step.inheritable ?? step.ambient) === undefined) {
      return;
    }
    const permitted = step.permitted ?? [...effective, ...ambient];
    draft.call(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL));
    draft.call(capset({
      permitted,
      effective: step.effective ?? permitted,
      inheritable: step.inheritable ?? ambient,
    }));
    for (const name of ambient) {
      draft.call(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAPABILITIES[name]));
    }
  },
};

/** Keeps the program from gaining privileges. */
export interface NoNewPrivilegesStep {
  /** Which step it is. */
  readonly step: "noNewPrivileges";
}

/**
 * Keeps the program and all that it starts from gaining privileges by setuid programs or file
 * capabilities. Needs no privilege, and nothing of it fails. See PR_SET_NO_NEW_PRIVS in prctl(2).
 *
 * @example
 * ```ts
 * import { noNewPrivileges, recipe } from "@ramekin/ramekin";
 *
 * const box = recipe(noNewPrivileges());
 * const { stdout } = await box.command("grep", { args: ["NoNewPrivs", "/proc/self/status"] })
 *   .output();
 * console.log(new TextDecoder().decode(stdout)); // NoNewPrivs:	1
 * ```
 */
export function noNewPrivileges(): NoNewPrivilegesStep {
  return { step: "noNewPrivileges" };
}

/** How `noNewPrivileges` is checked and planned. */
export const noNewPrivilegesDefinition: StepDefinition<NoNewPrivilegesStep> = {
  step: "noNewPrivileges",
  fields: {},
  plan(_step, draft) {
    draft.call(prctl(PR_SET_NO_NEW_PRIVS, 1));
    draft.container.gainsNoPrivileges = true;
  },
};
