/**
 * A cache of launchers: a recipe with the same steps as an earlier one needs no new plan.
 *
 * @module
 */

import { perEngine } from "../ffi/engine/per_engine.ts";
import { Launcher } from "../launch/launcher.ts";
import type { PlanOptions } from "../plan/builder.ts";
import { SharedPlans } from "../plan/shared_plans.ts";
import type { Step } from "../recipe/steps.ts";

/** How many launchers are kept; a plan of a sandbox takes some 100 kB. */
const MAX_KEPT = 32;

/** A launcher, and the texts of the options and steps that it is of. */
interface KeptLauncher {
  readonly texts: readonly string[];
  readonly launcher: Launcher;
}

/** The most recently used launchers. */
class Launchers {
  /** The most recently used last. */
  #kept: readonly KeptLauncher[] = [];
  readonly #plans = new SharedPlans();
  /** The steps of recipes as texts; steps never change. */
  readonly #texts = new WeakMap<Step, string>();

  /** Returns the launcher of these steps: the cached one, if its plan would be the same now. */
  of(steps: readonly Step[], options: PlanOptions): Launcher {
    const { network, detached, audit } = options;
    const texts = [JSON.stringify([network, detached, audit]), ...steps.map(this.#textOf, this)];
    const known = this.#kept.findLast((one) => isSame(one.texts, texts));
    const kept = known?.launcher.plan.isCurrent
      ? known
      : { texts, launcher: new Launcher(this.#plans.plan(steps, options, texts)) };
    if (kept.launcher.plan.isMomentary) return kept.launcher;
    this.#kept = [...this.#kept.filter((one) => one !== known), kept].slice(-MAX_KEPT);
    return kept.launcher;
  }

  #textOf(step: Step): string {
    let text = this.#texts.get(step);
    if (text === undefined) this.#texts.set(step, text = JSON.stringify(step));
    return text;
  }
}

/** Whether two lists are the same; from the end, as recipes differ there. */
function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let index = one.length - 1; index >= 0; index--) {
    if (one[index] !== other[index]) return false;
  }
  return true;
}

/** The launchers of this isolate. */
export const launchers: () => Launchers = perEngine(() => new Launchers());
