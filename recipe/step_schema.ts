/**
 * What the data of a step may be. A family of steps is a file in `steps/`, with the type, the
 * builder and the schema of each step; `steps.ts` lists them all.
 *
 * @module
 */

import { lazy, type Schema, type Schemas } from "./schema.ts";

/** What the data of a step may be. */
export interface StepSchema<S extends { readonly step: string }> {
  /** The name of the step. */
  readonly name: S["step"];
  /** What its fields may be, made when they are first needed. */
  readonly fields: Schemas<Omit<S, "step">>;
  /** Reports what is wrong with the fields taken together; `undefined` when nothing is. */
  issue?(step: S): string | undefined;
}

/** The schema of any step. */
export interface AnyStepSchema {
  readonly name: string;
  readonly fields: Readonly<Record<string, Schema>>;
  issue?(step: unknown): string | undefined;
}

/** The schema of a step with these fields. */
export function stepSchema<S extends { readonly step: string }>(
  name: S["step"],
  fields: () => Schemas<Omit<S, "step">>,
  issue?: (step: S) => string | undefined,
): StepSchema<S> {
  const made = lazy(fields);
  return {
    name,
    get fields() {
      return made();
    },
    ...(issue !== undefined && { issue }),
  };
}
