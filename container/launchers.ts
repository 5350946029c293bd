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

/** The size of the cache; a plan of a sandbox takes some 100 kB. */
const CACHE_SIZE = 32;

/** The most recently used launchers. */
class Launchers {
  readonly #cache = new Map<string, Launcher>();
  readonly #plans = new SharedPlans();
  /** The steps of recipes as texts; steps never change. */
  readonly #texts = new WeakMap<Step, string>();

  /** Returns the launcher of these steps: the cached one, if its plan would be the same now. */
  of(steps: readonly Step[], options: PlanOptions): Launcher {
    const { network, detached, audit } = options;
    const texts = [JSON.stringify([network, detached, audit]), ...steps.map(this.#textOf, this)];
    const key = texts.join("\n");
    const known = this.#cache.get(key);
    // A launcher that is used moves to the end, so that the first is the least recently used.
    this.#cache.delete(key);
    const launcher = known?.plan.isCurrent
      ? known
      : new Launcher(this.#plans.plan(steps, options, texts));
    if (launcher.plan.isMomentary) return launcher;
    this.#cache.set(key, launcher);
    if (this.#cache.size > CACHE_SIZE) this.#cache.delete(this.#cache.keys().next().value!);
    return launcher;
  }

  #textOf(step: Step): string {
    let text = this.#texts.get(step);
    if (text === undefined) this.#texts.set(step, text = JSON.stringify(step));
    return text;
  }
}

/** The launchers of this isolate. */
export const launchers: () => Launchers = perEngine(() => new Launchers());
