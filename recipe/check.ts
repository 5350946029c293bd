/**
 * What a step is made of. A family of steps is a file in `steps/`: for each step its type, its
 * builder and its definition; `steps.ts` lists them all.
 *
 * @module
 */

import { invalidField, isObject, nearest, type Schema, type Schemas } from "./schema.ts";
import { RecipeError } from "./errors.ts";

/** What the rest of the project knows of a kind of step. */
export interface StepDefinition<S extends { readonly step: string }> {
  /** Its name in a recipe. */
  readonly step: S["step"];
  /** What its fields may hold. A getter, so that importing the module makes none of them. */
  readonly fields: Schemas<S>;
  /** What is wrong with the fields taken together, or `undefined` when nothing is. */
  issue?(step: S): string | undefined;
}

/** A definition whose step type is known to nobody but itself. */
export interface AnyStepDefinition {
  readonly step: string;
  readonly fields: Readonly<Record<string, Schema>>;
  issue?(step: unknown): string | undefined;
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
  const wrong = invalidField(rest, definition.fields);
  if (wrong !== undefined) {
    throw new RecipeError(wrong.issue, { step: name, stepIndex: index, field: wrong.field });
  }
  const issue = definition.issue?.(value);
  if (issue !== undefined) throw new RecipeError(issue, { step: name, stepIndex: index });
}
