/**
 * A process that a record names.
 *
 * @module
 */

import type { Call } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { type ProcessIdentity, processIdentity } from "../../ffi/proc/process_identity.ts";
import { syscall } from "../../ffi/syscalls.ts";

/**
 * Opens a descriptor of a process, or of something of its: `undefined` where it has ended, also if
 * another process has got its number.
 */
export function openIfRunning(
  { pid, started }: ProcessIdentity,
  open: (pid: number) => Call,
): number | undefined {
  let fd: number | undefined;
  try {
    fd = syscall(open(pid));
    // What is open goes on meaning one process; which one that is, its start says.
    if (processIdentity(pid).started === started) return fd;
  } catch (error) {
    if (!(error instanceof SyscallError) || !ENDED.has(error.code)) throw error;
  }
  if (fd !== undefined) syscall(close(fd));
  return undefined;
}

const ENDED: ReadonlySet<string> = new Set(["ENOENT", "ESRCH"]);
