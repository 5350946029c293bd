/**
 * Processes of service records.
 *
 * @module
 */

import type { Call } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import type { ErrnoName } from "../../ffi/errno.ts";
import { ifThere } from "../../ffi/missing.ts";
import { type ProcessIdentity, processIdentity } from "../../ffi/proc/process_identity.ts";
import { syscall } from "../../ffi/syscalls.ts";

/**
 * Opens a pidfd or a file of a process; `undefined` if the process has ended, even if another
 * process has its pid now.
 */
export function openIfRunning(
  { pid, started }: ProcessIdentity,
  open: (pid: number) => Call,
): number | undefined {
  const fd = ifThere(() => syscall(open(pid)), ENDED);
  if (fd === undefined) return undefined;
  // The descriptor refers to one process; the start time shows whether it is the right one.
  if (ifThere(() => processIdentity(pid), ENDED)?.started === started) return fd;
  syscall(close(fd));
  return undefined;
}

const ENDED: readonly ErrnoName[] = ["ENOENT", "ESRCH"];
