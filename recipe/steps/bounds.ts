/**
 * The step `bounds`: how much of the machine and of the script's time and memory a container may use,
 * where there is no control group for it.
 *
 * @module
 */

import { boolean, either, integer, lazy, oneOf, optional, type Schemas } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";
import { limitFields, type Size } from "./limits.ts";

/** Bounds of a container that need no control group. Whatever is left out has none. */
export interface Bounds {
  /** The number of processes and threads, the container's init included. */
  readonly pids?: number | "unlimited";
  /** The time after which the container is ended, in milliseconds; a command may have another. */
  readonly timeout?: number | "unlimited";
  /**
   * The bytes that `output()` and `outputSync()` collect of each stream before the container is
   * killed; a command may have another bound, `maxOutput`.
   */
  readonly output?: Size | "unlimited";
  /**
   * Whether there is no bound to processes where the kernel has none without a control group: for
   * root before Linux 6.14, and for others before Linux 5.14.
   *
   * @default {false}
   */
  readonly degrade?: boolean;
}

/** Bounds a container without a control group. */
export interface BoundsStep extends Bounds {
  /** The name of the step. */
  readonly step: "bounds";
}

/**
 * Bounds a container where the user may have no control group, which `limits()` needs. Of several
 * steps the last one that has a bound sets it.
 *
 * `pids` stops a program that makes processes without end (a fork bomb). The kernel counts them by
 * user namespace (`RLIMIT_NPROC`, Linux 5.14), though not for root of the machine, and by pid
 * namespace (`kernel.pid_max`, Linux 6.14), for 300 and more. Where neither holds, the container gets
 * a control group with that limit, as by `limits({ pids })`, or with `degrade` no bound. It stands
 * behind `unshare("user", "pid")` and `proc()`.
 *
 * `timeout` and `output` are those of `recipe.command()`, for all commands of the recipe that have
 * none of their own. A box keeps `timeout` too, with timers of the kernel; it collects no output.
 *
 * @throws {UnsupportedError} when it is run where processes can only be limited by a control group, and
 * this user can make none
 *
 * @example
 * ```ts
 * import { bounds, recipe } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe(bounds({ timeout: 20, output: "1m" }));
 * const { timedOut } = await box.command("sleep", { args: ["60"] }).output();
 * assertEquals(timedOut, true);
 * ```
 */
export function bounds(bounds: Bounds): BoundsStep {
  return { step: "bounds", ...bounds };
}

/** What each bound may be. */
export const boundFields: () => Schemas<Bounds> = lazy(() => {
  const { pids, memory } = limitFields();
  return {
    pids,
    timeout: optional(either(integer(0), oneOf(["unlimited"]))),
    output: memory,
    degrade: optional(boolean()),
  };
});

/** What the data of `bounds` may be. */
export const boundsSchema: StepSchema<BoundsStep> = stepSchema("bounds", boundFields);
