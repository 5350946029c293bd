/**
 * Launchers that are kept: a recipe that says the same as an earlier one costs no new plan.
 *
 * @module
 */

import { perEngine } from "../ffi/engine/per_engine.ts";
import { Launcher } from "../launch/launcher.ts";
import type { PlanOptions } from "../plan/builder.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import type { Step } from "../recipe/steps.ts";

/** How many are kept; a plan of a sandbox takes some 100 kB. */
const KEPT = 32;

/** The launchers that were used last. */
class Launchers {
  readonly #kept = new Map<string, Launcher>();

  /** The launcher of these steps: an earlier one, if its plan would be the same now. */
  of(steps: readonly Step[], options: PlanOptions): Launcher {
    const key = JSON.stringify([steps, options.network]);
    const known = this.#kept.get(key);
    // What is used goes to the end, so that the first is what was not used for longest.
    this.#kept.delete(key);
    const launcher = known?.plan.isCurrent ? known : new Launcher(planRecipe(steps, options));
    if (launcher.plan.isMomentary) return launcher;
    this.#kept.set(key, launcher);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return launcher;
  }
}

/** The launchers of this isolate. */
export const launchers: () => Launchers = perEngine(() => new Launchers());
