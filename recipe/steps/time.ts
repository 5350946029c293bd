/**
 * The step `timeOffset`: the clocks of a time namespace. See time_namespaces(7).
 *
 * @module
 */

import { optional, type Schema, schema } from "../schema.ts";
import { shown } from "../shown.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Sets the offsets of the clocks of the container's time namespace. */
export interface TimeOffsetStep extends TimeOffsets {
  /** The name of the step. */
  readonly step: "timeOffset";
}

/** The offsets of the clocks in seconds, with up to nine decimal places. */
export interface TimeOffsets {
  /** The offset of CLOCK_MONOTONIC, the time since some point in the past. */
  readonly monotonic?: number;
  /** The offset of CLOCK_BOOTTIME, the time since boot, which uptime(1) shows. */
  readonly boottime?: number;
}

/**
 * Sets the offsets of the clocks of the container's time namespace from the host's. Needs
 * `unshare("time")` before it, and privilege or a user namespace. The time of day is always the
 * host's.
 *
 * @throws {RecipeError} when it is planned without `unshare("time")` before it
 * @throws {SyscallError} when it is run: `ERANGE` where a clock would be before 0, `EPERM` after a
 * further user namespace, which has no capabilities over the time namespace, `ENOENT` where there is
 * no /proc, `EINVAL` where /proc is not procfs
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, timeOffset, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "time"), mapRoot(), timeOffset({ boottime: 86400 }));
 * const { stdout } = await box.command("cat", { args: ["/proc/uptime"] }).output();
 * console.log(parseFloat(new TextDecoder().decode(stdout)) > 86400); // true
 * ```
 */
export function timeOffset(offsets: TimeOffsets): TimeOffsetStep {
  return { step: "timeOffset", ...offsets };
}

/** The kernel takes offsets up to about 146 years either way: KTIME_SEC_MAX / 2. */
const LIMIT = 4_600_000_000;

function seconds(): Schema {
  return schema(
    "a number of seconds",
    (value) => {
      if (typeof value !== "number" || !Number.isFinite(value)) {
        return `should be a number of seconds, not ${shown(value)}`;
      }
      return Math.abs(value) > LIMIT
        ? `${value} is more than the kernel takes, ${LIMIT} seconds`
        : undefined;
    },
    () => ({ type: "number", minimum: -LIMIT, maximum: LIMIT }),
  );
}

/** What the data of `timeOffset` may be. */
export const timeOffsetSchema: StepSchema<TimeOffsetStep> = stepSchema(
  "timeOffset",
  () => ({ monotonic: optional(seconds()), boottime: optional(seconds()) }),
  ({ monotonic, boottime }) =>
    (monotonic ?? boottime) === undefined ? `needs "monotonic" or "boottime"` : undefined,
);
