/**
 * From steps to a plan.
 *
 * @module
 */

import type { Step } from "../recipe/steps.ts";
import type { AccessOptions } from "./access/recorder.ts";
import { PlanBuilder } from "./builder.ts";
import { lower } from "./lowering.ts";

/** Lowers the steps, which have been checked, one by one. */
export function planRecipe(steps: readonly Step[], gate?: AccessOptions): PlanBuilder {
  const draft = new PlanBuilder(steps, gate);
  steps.forEach((step, index) => {
    draft.cursor.begin(index);
    lower(step, draft);
  });
  return draft;
}
