/**
 * What a step is made of. A family of steps is a file in `steps/`: for each step its type, its
 * builder and its definition; `steps.ts` lists them all.
 *
 * @module
 */

import type { Draft } from "./drafting/draft.ts";
import { type Field, type Fields, isObject, nearest, wrongField } from "./fields.ts";
import { RecipeError } from "./recipe_error.ts";

/** What the rest of the project knows of a kind of step. */
export interface StepDefinition<S extends { readonly step: string }> {
  /** Its name in a recipe. */
  readonly step: S["step"];
  /** What its fields may hold. A getter, so that importing the module makes none of them. */
  readonly fields: Fields<S>;
  /** What is wrong with the fields taken together, or `undefined` when nothing is. */
  complaint?(step: S): string | undefined;
  /**
   * Adds what the step does to the draft. Nothing has run yet: this is where a step is refused that
   * would change the host or comes in the wrong place.
   */
  plan(step: S, draft: Draft): void;
}

/** A definition whose step type is known to nobody but itself. */
export interface AnyStepDefinition {
  readonly step: string;
  readonly fields: Readonly<Record<string, Field>>;
  complaint?(step: unknown): string | undefined;
  plan(step: unknown, draft: Draft): void;
}

/** Checks a value that should be a step, wherever it came from. */
export function checkStep(
  value: unknown,
  index: number,
  definitions: ReadonlyMap<string, AnyStepDefinition>,
): void {
  if (!isObject(value) || typeof value["step"] !== "string") {
    throw new RecipeError('is no step: an object with the field "step"', { stepIndex: index });
  }
  const { step, ...rest } = value;
  const name = step as string;
  const definition = definitions.get(name);
  if (definition === undefined) {
    const near = nearest(name, [...definitions.keys()]);
    throw new RecipeError(
      `there is no step "${name}"; ` +
        (near === undefined
          ? `the steps are ${[...definitions.keys()].join(", ")}`
          : `did you mean "${near}"?`),
      { stepIndex: index },
    );
  }
  const wrong = wrongField(rest, definition.fields);
  if (wrong !== undefined) {
    throw new RecipeError(wrong.complaint, { step: name, stepIndex: index, field: wrong.field });
  }
  const complaint = definition.complaint?.(value);
  if (complaint !== undefined) throw new RecipeError(complaint, { step: name, stepIndex: index });
}
