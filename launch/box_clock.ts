/**
 * The clock of a box whose program has a time. Its timers are the kernel's: one sends SIGTERM to the
 * launcher when the time is over, and again for SIGKILL, which the launcher passes on (the code of
 * the box knows them by SI_TIMER). The other kills a launcher whose container has not come to its
 * program by then, as it sleeps in the clone; the container dies with it.
 *
 * @module
 */

import { type Call, Output } from "../ffi/call.ts";
import { SIGNALS } from "../ffi/calls/processes.ts";
import { timer_create, timer_delete, timer_settime } from "../ffi/calls/timers.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { SHORTEST_LAUNCH, USUAL_GRACE } from "./ask_to_end.ts";

/** Whether the program of a plan has a time. */
export function hasTimeout({ state: { timeout } }: PlanBuilder): boolean {
  return timeout !== undefined && timeout !== Infinity;
}

/** The timers of a box. */
export class BoxClock {
  readonly #time: number;
  readonly #program: Output = new Output(4, "&timer");
  readonly #launch: Output = new Output(4, "&timer");

  /** @param time how long the program may run, in milliseconds */
  constructor(time: number) {
    this.#time = time;
  }

  /** Adds the calls that start it, with all signals blocked. */
  start(add: (call: Call) => void): void {
    add(timer_create(SIGNALS.SIGKILL, this.#launch));
    add(timer_settime(this.#launch, Math.max(this.#time, SHORTEST_LAUNCH) + USUAL_GRACE));
    add(timer_create(SIGNALS.SIGTERM, this.#program));
    add(timer_settime(this.#program, this.#time, USUAL_GRACE));
  }

  /** Adds the call that the launcher makes when the program runs. */
  launched(add: (call: Call) => void): void {
    add(timer_delete(this.#launch));
  }
}
