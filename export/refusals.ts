/**
 * What a format cannot say of a recipe: collected, so that one error names all of it.
 *
 * @module
 */

import { RecipeError } from "../recipe/errors.ts";
import type { Step } from "../recipe/steps.ts";

/** The refusals of one export. */
export class Refusals {
  readonly #errors: RecipeError[] = [];

  /** Refuses a step by its name and its number. */
  step({ step }: Step, stepIndex: number, why: string): void {
    this.#errors.push(new RecipeError(why, { step, stepIndex }));
  }

  /** Refuses the recipe for what it lacks. */
  recipe(why: string): void {
    this.#errors.push(new RecipeError(why));
  }

  /**
   * Throws what was refused.
   *
   * @throws {RecipeError} about the first refusal, with the others below
   */
  throwAny(): void {
    const [first, ...others] = this.#errors;
    if (first === undefined) return;
    const { issue, step, stepIndex } = first;
    const advice = others.map(({ message }) => message);
    throw new RecipeError(issue, { step, stepIndex, advice });
  }
}
