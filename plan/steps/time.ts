/**
 * Lowers the step `timeOffset`.
 *
 * @module
 */

import type { TimeOffsetStep } from "../../recipe/steps/time.ts";
import type { PlanBuilder } from "../builder.ts";
import { deniedPrivilege } from "../fixes.ts";
import { writeProcFile } from "../proc_file.ts";
import { enterTime } from "../time_namespace.ts";

/** Lowers `timeOffset`. */
export function lowerTimeOffset(step: TimeOffsetStep, plan: PlanBuilder): void {
  plan.needs("time", "it would change the host's clocks");
  const lines = (["monotonic", "boottime"] as const)
    .filter((clock) => step[clock] !== undefined)
    .map((clock) => `${clock} ${secondsAndNanoseconds(step[clock]!)}\n`);
  writeProcFile(plan, "self/timens_offsets", lines.join(""), {
    open: { ENOENT: "this kernel has no time namespaces (Linux 5.6)" },
    write: {
      EPERM: () => deniedPrivilege(plan.host, plan.state.inUserNamespace),
      ERANGE: "the clock would be before 0, or beyond what the kernel counts",
    },
  });
  enterTime(plan);
}

/**
 * Formats seconds for timens_offsets, where nanoseconds are positive also after negative seconds.
 */
function secondsAndNanoseconds(seconds: number): string {
  const whole = Math.floor(seconds);
  const nanoseconds = Math.round((seconds - whole) * 1e9);
  return nanoseconds === 1e9 ? `${whole + 1} 0` : `${whole} ${nanoseconds}`;
}
