/**
 * The step `timeOffset`. See time_namespaces(7).
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_WRONLY, openat, write } from "../../ffi/calls/files.ts";
import { type Field, integer, optional } from "../fields.ts";
import type { StepDefinition } from "../step.ts";
import { enterTime } from "../drafting/time_namespace.ts";

/** Sets the clocks of the container's time namespace off from the host's. */
export interface TimeOffsetStep extends TimeOffsets {
  /** Which step it is. */
  readonly step: "timeOffset";
}

/** How far the clocks are set off, in seconds; fractions of up to nine digits are allowed. */
export interface TimeOffsets {
  /** The clock of the time since some point in the past, CLOCK_MONOTONIC. */
  readonly monotonic?: number;
  /** The clock of the time since boot, CLOCK_BOOTTIME, which uptime(1) shows. */
  readonly boottime?: number;
}

/**
 * Sets the clocks of the container's time namespace off from the host's. Needs `unshare("time")`
 * before it, and privilege or a user namespace. The time of day is the host's always.
 *
 * @throws {RecipeError} when it is planned without `unshare("time")` before it
 * @throws {SyscallError} when it is run: `ERANGE` where a clock would be before 0, `EPERM` behind a
 * further user namespace, which has no rights over the time namespace, `ENOENT` where no /proc is
 * mounted
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

/** The kernel allows offsets up to about 146 years either way (KTIME_SEC_MAX / 2). */
const LIMIT = 4_600_000_000;

const seconds: Field = {
  ...integer(-LIMIT, LIMIT),
  expected: "a number of seconds",
  schema: { type: "number", minimum: -LIMIT, maximum: LIMIT },
  complaint(value) {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      return "should be a number of seconds";
    }
    if (Math.abs(value) > LIMIT) return `${value} is more than the kernel takes, ${LIMIT} seconds`;
    return undefined;
  },
};

/** How `timeOffset` is checked and planned. */
export const timeOffsetDefinition: StepDefinition<TimeOffsetStep> = {
  step: "timeOffset",
  get fields() {
    return { monotonic: optional(seconds), boottime: optional(seconds) };
  },
  complaint: ({ monotonic, boottime }) =>
    (monotonic ?? boottime) === undefined ? `needs "monotonic" or "boottime"` : undefined,
  plan(step, draft) {
    draft.needs("time", "the host's clocks are not to be changed");
    const lines = (["monotonic", "boottime"] as const)
      .filter((clock) => step[clock] !== undefined)
      .map((clock) => `${clock} ${secondsAndNanoseconds(step[clock]!)}\n`);
    const bytes = new TextEncoder().encode(lines.join(""));
    draft.gate?.writesProc();
    const opened = openat(at_fdcwd, "/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC, 0);
    draft.call(opened);
    const fd = new ResultOf(opened, "fd");
    draft.call(write(fd, bytes, bytes.length));
    draft.call(close(fd));
    enterTime(draft);
  },
};

/** The nanoseconds always count forwards, also from a negative second. */
function secondsAndNanoseconds(seconds: number): string {
  const whole = Math.floor(seconds);
  const nanoseconds = Math.round((seconds - whole) * 1e9);
  return nanoseconds === 1e9 ? `${whole + 1} 0` : `${whole} ${nanoseconds}`;
}
