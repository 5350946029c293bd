/**
 * Which calls of a launch depend on the results of earlier ones.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
import { END, Label } from "../ffi/engine/program.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import type { LaunchRecord } from "./program_writer.ts";

/**
 * Returns for each call that a jump may pass over the condition for that: the text of the label
 * that the jump leads to. Of nested jumps the innermost counts.
 */
export function conditionsOf(
  parts: readonly (LaunchRecord | Label)[],
): ReadonlyMap<Call, string> {
  const conditions = new Map<Call, string>();
  const positions = new Map<Label, number>();
  parts.forEach((part, index) => {
    if (part instanceof Label) positions.set(part, index);
  });
  parts.forEach((part, index) => {
    if (part instanceof Label || part.call.name.startsWith("clone")) return;
    // What a failure leads to is no part of the plan.
    for (const label of [part.onZero, part.onAccepted, part.onSuccess]) {
      if (label === undefined || label === END || label === EXIT_CHILD) continue;
      for (const passed of parts.slice(index + 1, positions.get(label))) {
        if (!(passed instanceof Label)) conditions.set(passed.call, label.text);
      }
    }
  });
  return conditions;
}
