/**
 * Makes a plan of steps.
 *
 * @module
 */

import { errnoName } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { Host } from "../host/host.ts";
import { liveHost } from "../host/live_host.ts";
import { TargetIssue } from "../host/target_host.ts";
import type { Step } from "../recipe/steps.ts";
import { PlanBuilder, type PlanOptions } from "./builder.ts";
import { generalFix } from "./general_fix.ts";
import { lower } from "./lowering.ts";

/**
 * Lowers valid steps one by one.
 *
 * @throws {RecipeError} if the steps are in an impossible order, or would change the host
 * @throws {SyscallError} if a step cannot read what it needs of the host
 */
export function planRecipe(
  steps: readonly Step[],
  options: PlanOptions = {},
  host: Host = liveHost(),
): PlanBuilder {
  const plan = new PlanBuilder(steps, host, options);
  lowerSteps(plan, steps, 0);
  plan.directories.returnToWorking();
  return plan;
}

/** Lowers the steps from one position up to another. */
export function lowerSteps(
  plan: PlanBuilder,
  steps: readonly Step[],
  from: number,
  to: number = steps.length,
): void {
  for (let index = from; index < to; index++) {
    plan.cursor.begin(index);
    try {
      lower(steps[index]!, plan);
    } catch (error) {
      if (error instanceof TargetIssue) plan.refuse(error.message);
      throw error instanceof SyscallError ? inStep(error, plan) : error;
    }
  }
}

function inStep({ syscall, errno, call, hint }: SyscallError, { cursor }: PlanBuilder): Error {
  const { index } = cursor;
  return new SyscallError({
    syscall,
    errno,
    call,
    hint: hint ?? generalFix(syscall, errnoName(errno)),
    step: cursor.nameOf(index),
    stepIndex: index,
  });
}
