/**
 * The way into a new time namespace. The process that makes it goes on in the old one, and enters by
 * execve(2): but only since Linux 6.3. Before, its children are born into it, or it enters as if it
 * joined.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { CLONE_NEWTIME, setns } from "../ffi/calls/namespaces.ts";
import { atLeast } from "../host/host.ts";
import type { PlanBuilder } from "./builder.ts";
import { openProcFile } from "./proc_file.ts";

/**
 * Enters the time namespace that the container has made, where execve(2) would not. No offset can
 * be set any more then, so a step that sets one enters behind it.
 */
export function enterTime(plan: PlanBuilder): void {
  if (plan.cursor.comesLater("timeOffset")) return;
  if (atLeast(plan.host.kernel(), { major: 6, minor: 3 })) return;
  // A process that enters must share its memory with no other (setns(2), EUSERS).
  plan.process.ownMemory = true;
  // The file itself is a link of procfs's own, which only the last part of a path may be here.
  const directory = openProcFile(plan, "self/ns", O_PATH | O_DIRECTORY, {});
  const opened = plan.call(openat(directory, "time_for_children", O_RDONLY | O_CLOEXEC));
  const fd = new ResultOf(opened, "time");
  plan.call(setns(fd, CLONE_NEWTIME));
  for (const open of [fd, directory]) plan.release(open);
}
