/**
 * Enters a new time namespace. The process that creates it stays in the old one; since Linux 6.3
 * execve(2) moves it. Before, only its children are in the new one, or it enters by setns(2)
 * (time_namespaces(7)).
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
 * Adds calls that enter the new time namespace, if execve(2) does not. Offsets cannot be set after
 * that, so `timeOffset` calls this again if it follows.
 */
export function enterTime(plan: PlanBuilder): void {
  if (plan.cursor.comesLater("timeOffset")) return;
  if (atLeast(plan.host.kernel(), { major: 6, minor: 3 })) return;
  // setns(2) refuses a process that shares its memory (EUSERS).
  plan.process.ownMemory = true;
  plan.timeEntry = undefined;
  // The file is a magic link, which openat2(2) with RESOLVE_BENEATH does not follow.
  const directory = openProcFile(plan, "self/ns", O_PATH | O_DIRECTORY, {});
  const opened = plan.call(openat(directory, "time_for_children", O_RDONLY | O_CLOEXEC));
  const fd = new ResultOf(opened, "time");
  plan.call(setns(fd, CLONE_NEWTIME));
  for (const open of [fd, directory]) plan.release(open);
}
