/**
 * What is wrong with a recipe, told before anything runs.
 *
 * @module
 */

import { positionText, type TextPosition } from "../ffi/text_position.ts";

/** Where in a recipe something is wrong. */
export interface RecipeErrorDetails {
  /** The name of the step: `"hostname"`. */
  readonly step?: string | undefined;
  /** The position of the step, counted from 0. */
  readonly stepIndex?: number | undefined;
  /** The field of the step: `"name"`. */
  readonly field?: string | undefined;
  /** Where it stands, when the recipe is a text. */
  readonly position?: TextPosition | undefined;
}

/**
 * A recipe that cannot be carried out as it is written.
 *
 * @example A mount that would change the host
 * ```ts
 * import { recipe, RecipeError, tmpfs } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => recipe(tmpfs("/tmp")).command("true"), RecipeError);
 * console.log(error.message);
 * ```
 */
export class RecipeError extends Error {
  /** `"RecipeError"`. */
  override readonly name = "RecipeError";
  /** The name of the step, where one is at fault. */
  readonly step: string | undefined;
  /** The position of that step, counted from 0. */
  readonly stepIndex: number | undefined;
  /** The field of the step, where one is at fault. */
  readonly field: string | undefined;
  /** Where it stands, when the recipe is a text. */
  readonly position: TextPosition | undefined;
  /** What is wrong, without the place. */
  readonly issue: string;

  /** An error at the place that the details name. */
  constructor(message: string, details: RecipeErrorDetails = {}) {
    super(positionText(details.position) + placeOf(details) + message);
    this.issue = message;
    this.position = details.position;
    this.step = details.step;
    this.stepIndex = details.stepIndex;
    this.field = details.field;
  }
}

function placeOf({ step, stepIndex, field }: RecipeErrorDetails): string {
  // Where a step has no name, the message goes on with a verb: step 1 is not a step.
  if (step === undefined) return stepIndex === undefined ? "" : `step ${stepIndex + 1} `;
  const number = stepIndex === undefined ? step : `step ${stepIndex + 1} (${step})`;
  return field === undefined ? `${number}: ` : `${number}, "${field}": `;
}
