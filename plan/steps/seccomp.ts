/**
 * Lowers the step `seccomp`.
 *
 * @module
 */

import { SECCOMP_FILTER_FLAGS, seccompSetFilter } from "../../ffi/calls/seccomp.ts";
import { engine } from "../../ffi/engine/engine.ts";
import {
  compileFilter,
  RuleIndex,
  SECCOMP_RET,
  type SyscallFilter,
} from "../../ffi/seccomp/filter.ts";
import type { PlanBuilder } from "../builder.ts";
import { allowMore, DEFAULT_SECCOMP_PROFILE } from "../../recipe/seccomp_default.ts";
import { filterOf } from "../../recipe/seccomp_profile.ts";
import type { SeccompStep } from "../../recipe/steps/seccomp.ts";

/** Lowers `seccomp`. */
export function lowerSeccomp(step: SeccompStep, plan: PlanBuilder): void {
  const { flags = [] } = step.profile ?? {};
  const flagBits = Object.entries(SECCOMP_FILTER_FLAGS)
    .reduce((bits, [name, bit]) => flags.includes(name as never) ? bits | bit : bits, 0);
  const program = programOf(step, plan);
  plan.gainNoPrivileges();
  plan.beforeExec(seccompSetFilter(program, flagBits));
}

/** Steps do not change, and compiling takes longer than the launch. */
const COMPILED = new WeakMap<SeccompStep, Uint8Array<ArrayBuffer>>();

function programOf(step: SeccompStep, plan: PlanBuilder): Uint8Array<ArrayBuffer> {
  const known = COMPILED.get(step);
  if (known !== undefined) return known;
  const profile = allowMore(step.profile ?? DEFAULT_SECCOMP_PROFILE, step.allow ?? []);
  const filter = filterOf(profile);
  checkLaunch(filter, plan);
  let program: Uint8Array<ArrayBuffer>;
  try {
    program = compileFilter(filter, engine().architecture);
  } catch (error) {
    if (error instanceof RangeError) plan.refuse(`the profile is too long: ${error.message}`);
    throw error;
  }
  COMPILED.set(step, program);
  return program;
}

/** What is still called when the filter is in force: to begin the program, and to give up. */
const LAUNCHING = ["execve", "exit_group"] as const;

function checkLaunch(filter: SyscallFilter, plan: PlanBuilder): void {
  const rules = new RuleIndex(filter);
  for (const name of LAUNCHING) {
    const answers = rules.for(name).map(({ action }) => action);
    if (answers.every((answer) => answer === SECCOMP_RET.ALLOW || answer === SECCOMP_RET.LOG)) {
      continue;
    }
    plan.refuse(`the profile does not allow ${name}, without which no program can be started`);
  }
}
