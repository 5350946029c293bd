/**
 * Lowers the step `timeOffset`.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_WRONLY, openat, write } from "../../ffi/calls/files.ts";
import { enterTime } from "../time_namespace.ts";
import type { TimeOffsetStep } from "../../recipe/steps/time.ts";
import type { PlanBuilder } from "../builder.ts";

/** Lowers `timeOffset`. */
export function lowerTimeOffset(step: TimeOffsetStep, plan: PlanBuilder): void {
  plan.needs("time", "the host's clocks are not to be changed");
  const lines = (["monotonic", "boottime"] as const)
    .filter((clock) => step[clock] !== undefined)
    .map((clock) => `${clock} ${secondsAndNanoseconds(step[clock]!)}\n`);
  const bytes = new TextEncoder().encode(lines.join(""));
  plan.access?.writesProc();
  const opened = openat(at_fdcwd, "/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC, 0);
  plan.call(opened);
  const fd = new ResultOf(opened, "fd");
  plan.call(write(fd, bytes, bytes.length));
  plan.call(close(fd));
  enterTime(plan);
}

/** The nanoseconds always count forwards, also from a negative second. */
function secondsAndNanoseconds(seconds: number): string {
  const whole = Math.floor(seconds);
  const nanoseconds = Math.round((seconds - whole) * 1e9);
  return nanoseconds === 1e9 ? `${whole + 1} 0` : `${whole} ${nanoseconds}`;
}
