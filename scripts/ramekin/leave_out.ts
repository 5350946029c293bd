/**
 * `ramekin import --leave-out`: fields of a config.json that a recipe goes without.
 *
 * @module
 */

import { leaveOutIssue } from "../../export/oci/unsaid.ts";
import { quoted } from "../../recipe/shown.ts";
import { type Flag, UsageError } from "./usage.ts";

/** The flag. */
export const LEAVE_OUT: Flag = {
  name: "leave-out",
  value: "FIELDS",
  repeated: true,
  check: fieldsIn,
  summary: "fields that are left out: hooks,linux.resources.devices",
};

/**
 * Reads its value.
 *
 * @throws {UsageError} for a name that is none of those fields
 */
export function fieldsIn(value: string): readonly string[] {
  const names = value.split(",");
  for (const name of names) {
    const issue = leaveOutIssue(name);
    if (issue !== undefined) throw new UsageError(`--leave-out=${value}: ${quoted(name)} ${issue}`);
  }
  return names;
}
