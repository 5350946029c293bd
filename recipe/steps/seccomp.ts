/**
 * The step `seccomp`: which system calls the program may make. See seccomp(2).
 *
 * @module
 */

import { allSyscalls, isSyscallName } from "../../ffi/seccomp/all_syscalls.ts";
import { list, nearest, optional, type Schema, text } from "../schema.ts";
import { SECCOMP_GROUPS } from "../seccomp_default.ts";
import { type SeccompProfile, seccompProfile } from "../seccomp_profile.ts";
import type { StepDefinition } from "../check.ts";

/** Says which system calls the program may make. */
export interface SeccompStep extends SeccompAllowance {
  /** Which step it is. */
  readonly step: "seccomp";
  /**
   * The profile.
   *
   * @default {DEFAULT_SECCOMP_PROFILE}
   */
  readonly profile?: SeccompProfile;
}

/** What {@linkcode seccomp} takes in place of a profile: what is allowed beside the default one. */
export interface SeccompAllowance {
  /**
   * Calls by their names, `"@mounts"` for those that change what is mounted, and `"@namespaces"` for
   * `clone`, `clone3`, `unshare` and `setns` without limits.
   */
  readonly allow?: readonly string[];
}

/**
 * Limits the system calls of the program and of all that it starts: to what ordinary programs need
 * ({@linkcode DEFAULT_SECCOMP_PROFILE}), to that and more, or by a profile of one's own in the shape
 * of the OCI runtime specification.
 *
 * Wherever the step stands, the filter comes into force just before the program begins, so that it
 * limits no other step. The program and all that it starts then gain no privileges any more, as
 * after `noNewPrivileges()`: the kernel wants it. The init of `init()` is not limited. Needs no
 * privilege.
 *
 * @throws {RecipeError} for a name that is no call's; when it is planned with a profile that does
 * not let the program begin (execve, exit_group), or that is longer than the kernel takes, 4096
 * instructions
 * @throws {SyscallError} when it is run: `EINVAL` where this kernel has no seccomp filters, `EPERM`
 * where one that is in force already forbids another
 *
 * @example
 * ```ts
 * import { recipe, seccomp } from "@ramekin/ramekin";
 *
 * const box = recipe(seccomp());
 * const { success } = await box.command("unshare", { args: ["-U", "true"], stderr: "null" })
 *   .output();
 * console.log(success); // false
 * ```
 *
 * @example A container that can make mounts in namespaces of its own
 * ```ts
 * import { recipe, seccomp } from "@ramekin/ramekin";
 *
 * const box = recipe(seccomp({ allow: ["@mounts", "@namespaces"] }));
 * console.log(box.plan().toString());
 * ```
 */
export function seccomp(profile: SeccompProfile | SeccompAllowance = {}): SeccompStep {
  return "defaultAction" in profile
    ? { step: "seccomp", profile }
    : { step: "seccomp", ...profile as SeccompAllowance };
}

/** The name of a system call, or of some of them. */
function callName(): Schema {
  const base = text({ min: 1 });
  const groups = Object.keys(SECCOMP_GROUPS);
  return {
    ...base,
    expected: `the name of a system call, or ${groups.map((name) => `"${name}"`).join(", ")}`,
    issue(value) {
      const issue = base.issue(value);
      const name = value as string;
      if (issue !== undefined || isSyscallName(name) || groups.includes(name)) return issue;
      const near = nearest(name, [...groups, ...allSyscalls("x86_64").keys()]);
      return `there is no call "${name}"` + (near === undefined ? "" : `; did you mean "${near}"?`);
    },
  };
}

/** How `seccomp` is checked and planned. */
export const seccompDefinition: StepDefinition<SeccompStep> = {
  step: "seccomp",
  get fields() {
    return { profile: optional(seccompProfile()), allow: optional(list(callName())) };
  },
};
