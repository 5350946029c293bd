/**
 * Plans of recipes that begin with the same steps. The calls of these are planned once: the plan of
 * the first steps stays as it is, and that of each recipe goes on from it, where what it has asked of
 * the host and about the steps to come has the same answers.
 *
 * @module
 */

import { liveHost } from "../host/live_host.ts";
import type { Step } from "../recipe/steps.ts";
import { PlanBuilder, type PlanOptions } from "./builder.ts";
import { lowerSteps } from "./plan_recipe.ts";

/** How many plans of first steps are kept, and how many recipes are compared. */
const [MAX_BEGUN, MAX_RECENT] = [8, 8];

/** The plan of the first steps of recipes. */
interface Begun {
  readonly plan: PlanBuilder;
  /** What its options and steps are, as texts. */
  readonly texts: readonly string[];
}

/** Makes plans for this host, each from one that begins alike. */
export class SharedPlans {
  /** The most recently used last. */
  #begun: readonly Begun[] = [];
  /** The texts of the recipes that were planned last. */
  #recent: readonly (readonly string[])[] = [];

  /**
   * Lowers valid steps.
   *
   * @param texts what the options and the steps are, as texts
   * @throws {RecipeError} if the steps are in an impossible order, or would change the host
   * @throws {SyscallError} if a step cannot read what it needs of the host
   */
  plan(steps: readonly Step[], options: PlanOptions, texts: readonly string[]): PlanBuilder {
    const begun = this.#find(steps, texts);
    // The first text is that of the options.
    const shared = Math.max(...this.#recent.map((other) => sharedBy(texts, other) - 1), 0);
    this.#recent = [...this.#recent, texts].slice(-MAX_RECENT);
    let from = begun === undefined ? 0 : begun.texts.length - 1;
    let plan = new PlanBuilder(steps, liveHost(), options, begun?.plan);
    if (shared > from && shared < steps.length) {
      lowerSteps(plan, steps, from, shared);
      from = shared;
      if (!plan.isMomentary) {
        this.#keep({ plan, texts: texts.slice(0, shared + 1) });
        plan = new PlanBuilder(steps, plan.host, options, plan);
      }
    }
    lowerSteps(plan, steps, from);
    plan.directories.returnToWorking();
    return plan;
  }

  /** Returns the plan of the most of the first steps; those that no longer hold are forgotten. */
  #find(steps: readonly Step[], texts: readonly string[]): Begun | undefined {
    const alike = this.#begun.filter((one) => sharedBy(texts, one.texts) === one.texts.length);
    for (const one of alike.sort((a, b) => b.texts.length - a.texts.length)) {
      if (!one.plan.fits(steps, one.texts.length - 1)) continue;
      if (one.plan.isCurrent) {
        this.#keep(one);
        return one;
      }
      this.#begun = this.#begun.filter((other) => other !== one);
    }
    return undefined;
  }

  #keep(one: Begun): void {
    this.#begun = [...this.#begun.filter((other) => other !== one), one].slice(-MAX_BEGUN);
  }
}

/** How many texts two lists have in common at their beginning. */
function sharedBy(one: readonly string[], other: readonly string[]): number {
  const most = Math.min(one.length, other.length);
  for (let index = 0; index < most; index++) if (one[index] !== other[index]) return index;
  return most;
}
