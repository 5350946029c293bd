/**
 * The way into a new time namespace. Its maker goes on in the old one, and enters by execve(2): but
 * only since Linux 6.3. Before, its children are born into it, or it enters as if it joined.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { CLONE_NEWTIME, setns } from "../ffi/calls/namespaces.ts";
import { uname } from "../ffi/linux/namespaces.ts";
import type { PlanBuilder } from "./builder.ts";

/**
 * Enters the time namespace that the container has made, where execve(2) would not. No offset can
 * be set any more then, so a step that sets one enters behind it.
 */
export function enterTime(plan: PlanBuilder): void {
  if (plan.cursor.comesLater("timeOffset") || entersByExec()) return;
  // Who enters may share its memory with nobody (setns(2), EUSERS).
  plan.process.ownMemory = true;
  const path = "/proc/self/ns/time_for_children";
  const opened = plan.call(openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC));
  const fd = new ResultOf(opened, "time");
  plan.call(setns(fd, CLONE_NEWTIME));
  plan.call(close(fd));
}

/** Whether a process enters the time namespace that it has made by execve(2). */
function entersByExec(): boolean {
  const [major, minor] = uname().release.split(".", 2).map((number) => parseInt(number));
  return major! > 6 || major === 6 && minor! >= 3;
}
