/**
 * The processors that a thread may run on. See sched_setaffinity(2).
 *
 * @module
 */

import { type Call, call, type Pid, Struct } from "../call.ts";

/** A mask of every processor: the kernel knows at most 8192 (NR_CPUS). */
export const ALL_PROCESSORS: Struct = new Struct(
  new Uint8Array(8192 / 8).fill(0xff),
  "[all processors]",
);

/** Sets the processors that a thread, the caller for 0, may run on. See sched_setaffinity(2). */
export function sched_setaffinity(thread: Pid, mask: Struct): Call {
  return call("sched_setaffinity", thread, mask.size, mask);
}
