/**
 * Steps as a person would write them.
 *
 * @module
 */

import { type Step, STEP_SCHEMAS } from "./steps.ts";

/** Returns the step with its modes in octal, as texts: JSON and YAML 1.1 have no `0o755`. */
export function writtenStep(step: Step): { readonly step: string } {
  const fields = STEP_SCHEMAS.get(step.step)?.fields ?? {};
  const entries = Object.entries(step).map(([name, value]) => {
    const write = value === undefined ? undefined : fields[name]?.written;
    return [name, write === undefined ? value : write(value)] as const;
  });
  return Object.fromEntries(entries) as { step: string };
}
