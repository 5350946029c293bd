/**
 * The error of a launch that has taken too long: in which call it was then.
 *
 * @module
 */

import { describeCall } from "../ffi/call.ts";
import { Label, PENDING } from "../ffi/engine/program.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { RamekinError } from "../ffi/errors.ts";
import type { PreparedLaunch } from "./launch.ts";
import type { LaunchProgram } from "./link.ts";
import type { LaunchRecord, Section } from "./program_writer.ts";
import { showValues } from "./slots.ts";

/**
 * A launch has taken longer than the `timeout` of its command and `killAfter` together, and was
 * ended: something did not answer that a step or the start of the program needs, such as an
 * automounter, a FUSE or a network filesystem. Nothing is left of the container.
 *
 * @example
 * ```ts
 * import { LaunchTimeoutError, recipe } from "@ramekin/ramekin";
 *
 * try {
 *   await recipe().command("true", { timeout: 10_000, killAfter: 0 }).output();
 * } catch (error) {
 *   if (!(error instanceof LaunchTimeoutError)) throw error;
 *   console.log(error.step, error.call);
 * }
 * ```
 */
export class LaunchTimeoutError extends RamekinError {
  /** `"LaunchTimeoutError"`. */
  override readonly name = "LaunchTimeoutError";
  /** How long the launch could take, in milliseconds. */
  readonly timeLimit: number;
  /** The call in which it was ended, as C would write it, if it was in one of the container's. */
  readonly call: string | undefined;

  /** Creates an error about the call of the step. */
  constructor(
    timeLimit: number,
    call: string | undefined,
    place: { readonly step?: string; readonly stepIndex?: number },
  ) {
    super(
      call === undefined
        ? `the launch took longer than ${timeLimit} ms (timeout and killAfter), and was ended ` +
          "between two calls"
        : `the launch took longer than ${timeLimit} ms (timeout and killAfter), and was ended in ` +
          call,
      { ...place, advice: [call === undefined ? BUSY : SILENT] },
    );
    this.timeLimit = timeLimit;
    this.call = call;
  }
}

const SILENT = "what this call waits for does not answer, such as an automounter, FUSE or a " +
  "network filesystem; or it is slow: give it a longer timeout";
const BUSY = "the machine is busy, or the script was stopped; give it a longer timeout";

/** Returns the error of a launch that was ended by its time limit. */
export function launchTimeout(
  { compiled: { plan, layout, sealed }, values }: PreparedLaunch,
  result: RunResult,
): LaunchTimeoutError {
  const timeLimit = values.spec.timeLimit!;
  const pending = pendingRecord(layout, result);
  if (pending === undefined) return new LaunchTimeoutError(timeLimit, undefined, {});
  const { stepIndex } = pending;
  // Of what a sealed executable does nothing is known here.
  const hidden = sealed?.layout.candidates[0]?.execve;
  const call = hidden !== undefined && layout.executes.includes(pending.call)
    ? hidden
    : pending.call;
  const place = stepIndex === undefined ? {} : { step: plan.cursor.nameOf(stepIndex), stepIndex };
  return new LaunchTimeoutError(timeLimit, describeCall(call, showValues(values)), place);
}

/** Returns the call that the latest process of the container has not come back from. */
function pendingRecord({ parts }: LaunchProgram, result: RunResult): LaunchRecord | undefined {
  return parts.findLast((part): part is LaunchRecord =>
    !(part instanceof Label) && !(part.section !== undefined && OTHERS.has(part.section)) &&
    result.result(part.call) === PENDING
  );
}

/** Parts of a launch that are not the container's, or from which no process comes back. */
const OTHERS: ReadonlySet<Section> = new Set(
  ["script", "clone", "restore", "init", "watch", "failure"],
);
