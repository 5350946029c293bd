/**
 * The step `seccomp`: which system calls the program may make. See seccomp(2).
 *
 * @module
 */

import { SECCOMP_FILTER_FLAGS, seccompSetFilter } from "../../ffi/calls/seccomp.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { allSyscalls, isSyscallName } from "../../ffi/seccomp/all_syscalls.ts";
import {
  compileFilter,
  RuleIndex,
  SECCOMP_RET,
  type SyscallFilter,
} from "../../ffi/seccomp/filter.ts";
import type { Draft } from "../drafting/draft.ts";
import { type Field, list, nearest, optional, text } from "../fields.ts";
import { allowMore, DEFAULT_SECCOMP_PROFILE, SECCOMP_GROUPS } from "../filters/seccomp_default.ts";
import { filterOf, type SeccompProfile, seccompProfile } from "../filters/seccomp_profile.ts";
import type { StepDefinition } from "../step.ts";

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
function callName(): Field {
  const base = text({ min: 1 });
  const groups = Object.keys(SECCOMP_GROUPS);
  return {
    ...base,
    expected: `the name of a system call, or ${groups.map((name) => `"${name}"`).join(", ")}`,
    complaint(value) {
      const complaint = base.complaint(value);
      const name = value as string;
      if (complaint !== undefined || isSyscallName(name) || groups.includes(name)) return complaint;
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
  plan(step, draft) {
    const { flags = [] } = step.profile ?? {};
    const flagBits = Object.entries(SECCOMP_FILTER_FLAGS)
      .reduce((bits, [name, bit]) => flags.includes(name as never) ? bits | bit : bits, 0);
    const program = programOf(step, draft);
    draft.gainNoPrivileges();
    draft.lastly(seccompSetFilter(program, flagBits));
  },
};

/** Steps do not change, and compiling takes longer than the launch. */
const COMPILED = new WeakMap<SeccompStep, Uint8Array<ArrayBuffer>>();

function programOf(step: SeccompStep, draft: Draft): Uint8Array<ArrayBuffer> {
  const known = COMPILED.get(step);
  if (known !== undefined) return known;
  const profile = allowMore(step.profile ?? DEFAULT_SECCOMP_PROFILE, step.allow ?? []);
  const filter = filterOf(profile);
  checkLaunch(filter, draft);
  let program: Uint8Array<ArrayBuffer>;
  try {
    program = compileFilter(filter, engine().architecture);
  } catch (error) {
    if (error instanceof RangeError) draft.refuse(`the profile is too long: ${error.message}`);
    throw error;
  }
  COMPILED.set(step, program);
  return program;
}

/** What is still called when the filter is in force: to begin the program, and to give up. */
const LAUNCHING = ["execve", "exit_group"] as const;

function checkLaunch(filter: SyscallFilter, draft: Draft): void {
  const rules = new RuleIndex(filter);
  for (const name of LAUNCHING) {
    const answers = rules.for(name).map(({ answer }) => answer);
    if (answers.every((answer) => answer === SECCOMP_RET.ALLOW || answer === SECCOMP_RET.LOG)) {
      continue;
    }
    draft.refuse(`the profile does not allow ${name}, without which no program can be started`);
  }
}
