/**
 * The steps that set the user and the privileges of the program: `setUser`, `capabilities` and
 * `noNewPrivileges`. See credentials(7) and capabilities(7).
 *
 * @module
 */

import { CAPABILITIES } from "../../ffi/calls/constants/capabilities.ts";
import { boolean, id, list, oneOf, optional, text } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";
import type { CapabilitySets } from "./capability_sets.ts";

/** Changes the user and the groups. */
export interface SetUserStep extends Partial<UserIds>, Partial<UserName> {
  /** The name of the step. */
  readonly step: "setUser";
  /**
   * Whether the permitted capabilities stay, for a `capabilities` step after it: the kernel drops
   * all from a user who is not root any more (PR_SET_KEEPCAPS).
   */
  readonly keepCapabilities?: boolean;
  /** Whether the supplementary groups stay those of the script; then without `groups`. */
  readonly keepGroups?: boolean;
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
   * The supplementary groups. Where setgroups(2) is denied, as after `mapRoot`, they cannot be set:
   * the caller's remain.
   *
   * @default none
   */
  readonly groups?: readonly number[];
}

/** A user by name. */
export interface UserName {
  /**
   * The user, in the place of ids: `"www-data"`, or with another group `"www-data:adm"`. The ids and
   * the supplementary groups are those of the container's /etc/passwd and /etc/group when it is planned.
   */
  readonly name: string;
}

/**
 * Changes the user, the group and the supplementary groups. A change from root to another user
 * removes the capabilities. In a user namespace, the ids have to be mapped. See setresuid(2).
 *
 * A user by name is looked up when the container is planned, in the /etc/passwd and /etc/group that it
 * has at this step, which have to be files of this machine: of `root()`, or of a `bind()`. Groups are
 * left out where setgroups(2) is denied. A box is for another machine, and takes ids. HOME and USER
 * stay as they are: `setEnv()` sets them, and `findUser()` of `@ramekin/ramekin/host` finds them.
 *
 * @throws {RecipeError} when it is planned with `groups` where setgroups(2) is denied, or a name that
 * is not there
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
 *
 * @example By name
 * ```ts
 * import { mapRoot, recipe, setUser, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user"), mapRoot(), setUser({ name: "root" }));
 * const { stdout } = await box.command("id", { args: ["-un"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // root
 * ```
 */
export function setUser(
  user: (UserIds | UserName) & Pick<SetUserStep, "keepCapabilities" | "keepGroups">,
): SetUserStep {
  return { step: "setUser", ...user };
}

/** What the data of `setUser` may be. */
export const setUserSchema: StepSchema<SetUserStep> = stepSchema(
  "setUser",
  () => ({
    uid: optional(id()),
    gid: optional(id()),
    groups: optional(list(id())),
    name: optional(text({ min: 1 })),
    keepCapabilities: optional(boolean()),
    keepGroups: optional(boolean()),
  }),
  ({ uid, gid, groups, name, keepGroups }) => {
    if (groups !== undefined && keepGroups === true) {
      return '"keepGroups" leaves the groups as they are, and "groups" sets them';
    }
    if (name === undefined) return uid === undefined ? 'needs "uid", or "name"' : undefined;
    const ids = Object.entries({ uid, gid, groups }).find(([, value]) => value !== undefined);
    return ids && `"name" finds the ids, and "${ids[0]}" sets one; give either`;
  },
);

/** Sets the capabilities. */
export interface CapabilitiesStep extends CapabilitySets {
  /** The name of the step. */
  readonly step: "capabilities";
}

/**
 * Sets the capabilities: each set that is given becomes exactly what is listed. A program that runs
 * as root gets all of the bounding set again, so list the bounding set to limit root.
 *
 * @throws {RecipeError} for `keep` with other sets, or a set with a capability that another lacks
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

/** What the data of `capabilities` may be. */
export const capabilitiesSchema: StepSchema<CapabilitiesStep> = stepSchema("capabilities", () => {
  const capabilityList = optional(list(oneOf(Object.keys(CAPABILITIES))));
  return {
    keep: capabilityList,
    bounding: capabilityList,
    permitted: capabilityList,
    effective: capabilityList,
    inheritable: capabilityList,
    ambient: capabilityList,
  };
}, ({ keep, bounding, permitted, effective, inheritable, ambient }) => {
  const others = bounding ?? permitted ?? effective ?? inheritable ?? ambient;
  if (keep !== undefined && others !== undefined) {
    return `"keep" cannot be combined with other sets`;
  }
  const lacks = (set: readonly string[] | undefined, of: readonly string[] | undefined) =>
    of === undefined ? undefined : set?.find((name) => !of.includes(name));
  const notPermitted = lacks(effective, permitted) ?? lacks(ambient, permitted);
  if (notPermitted !== undefined) return `${notPermitted} is not in "permitted"`;
  const notInheritable = lacks(ambient, inheritable);
  if (notInheritable !== undefined) return `${notInheritable} is not in "inheritable"`;
  return undefined;
});

/** Prevents the program from gaining privileges. */
export interface NoNewPrivilegesStep {
  /** The name of the step. */
  readonly step: "noNewPrivileges";
}

/**
 * Prevents the program and all that it starts from gaining privileges by setuid programs or file
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

/** What the data of `noNewPrivileges` may be. */
export const noNewPrivilegesSchema: StepSchema<NoNewPrivilegesStep> = stepSchema(
  "noNewPrivileges",
  () => ({}),
);
