/**
 * Steps from anywhere, checked, as data that cannot change any more.
 *
 * @module
 */

import { RecipeError } from "./errors.ts";
import { suggestion } from "./nearest.ts";
import { invalidField, isObject, withDefaults } from "./schema.ts";
import { quoted, shown, shownObject } from "./shown.ts";
import { RecipeSize, type Size } from "./size.ts";
import { type Step, STEP_SCHEMAS } from "./steps.ts";

/** Steps that were checked and are frozen: another recipe takes them as they are. */
const CHECKED = new WeakMap<object, Size>();

/** The most steps of a recipe. */
const MAX_STEPS = 10_000;

/**
 * Returns the steps as frozen data.
 *
 * @throws {RecipeError} for a value that is not a step, a field that is wrong, or too much data
 */
export function checkedSteps(values: readonly unknown[]): readonly Step[] {
  if (values.length > MAX_STEPS) throw new RecipeError(`a recipe has at most ${MAX_STEPS} steps`);
  const whole = new RecipeSize();
  return Object.freeze(values.map((value, stepIndex) => {
    const known = isObject(value) ? CHECKED.get(value) : undefined;
    if (known !== undefined) whole.addSize(known);
    const size = known ?? whole.add(value);
    const { issue } = whole;
    if (issue !== undefined) {
      throw new RecipeError(`makes the recipe too large: ${issue}`, { stepIndex });
    }
    return known === undefined ? checkedStep(value, stepIndex, size) : value as Step;
  }));
}

function checkedStep(value: unknown, index: number, size: Size): Step {
  const step = frozenCopy(completeStep(value, index)) as Step;
  CHECKED.set(step, size);
  return step;
}

/** Checks a step, and returns it with the fields that it leaves to their defaults. */
function completeStep(value: unknown, stepIndex: number): unknown {
  if (!isObject(value) || !Object.hasOwn(value, "step") || typeof value["step"] !== "string") {
    throw new RecipeError(
      `is not a step: expected an object with a "step" field, got ${unsuitable(value)}`,
      { stepIndex },
    );
  }
  const { step } = value;
  const schema = STEP_SCHEMAS.get(step);
  if (schema === undefined) {
    const names = [...STEP_SCHEMAS.keys()];
    throw new RecipeError(
      `is unknown: there is no step ${quoted(step)}` +
        (suggestion(step, names) || `; the steps are ${names.join(", ")}`),
      { stepIndex },
    );
  }
  const whole = withDefaults(value, schema.fields);
  const invalid = invalidField(whole, schema.fields, "step");
  if (invalid !== undefined) {
    throw new RecipeError(invalid.issue, { step, stepIndex, field: invalid.field });
  }
  const issue = schema.issue?.(whole);
  if (issue !== undefined) throw new RecipeError(issue, { step, stepIndex });
  return whole;
}

/** What the value is, with how it becomes a step where that is likely. */
function unsuitable(value: unknown): string {
  if (typeof value === "function") {
    const { name } = value;
    return STEP_SCHEMAS.has(name) ? `the function ${name}; call it: ${name}()` : "a function";
  }
  if (Array.isArray(value)) return "a list; take the steps out of it: recipe(...steps)";
  if (!isObject(value)) return shown(value);
  return "steps" in value
    ? "an object with steps; recipe(...it.steps) takes them"
    : shownObject(value);
}

/** A copy of plain data that cannot be changed. */
function frozenCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  const copy: Record<string, unknown> = { ...value };
  for (const name in copy) {
    const field = copy[name];
    if (typeof field === "object" && field !== null) copy[name] = frozenCopy(field);
  }
  return Object.freeze(copy);
}
