/**
 * Processes of service records.
 *
 * @module
 */

import type { Call } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { type ProcessIdentity, processIdentity } from "../../ffi/proc/process_identity.ts";
import { syscall } from "../../ffi/syscalls.ts";

/**
 * Opens a pidfd or a file of a process; `undefined` if the process has ended, even if another process
 * has its pid now.
 */
export function openIfRunning(
  { pid, started }: ProcessIdentity,
  open: (pid: number) => Call,
): number | undefined {
  let fd: number | undefined;
  try {
    fd = syscall(open(pid));
    // The descriptor refers to one process; the start time shows whether it is the right one.
    if (processIdentity(pid).started === started) return fd;
  } catch (error) {
    if (!(error instanceof SyscallError) || !ENDED.has(error.code)) throw error;
  }
  if (fd !== undefined) syscall(close(fd));
  return undefined;
}

const ENDED: ReadonlySet<string> = new Set(["ENOENT", "ESRCH"]);
