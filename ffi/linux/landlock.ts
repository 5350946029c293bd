/**
 * What the kernel offers of landlock(7).
 *
 * @module
 */

import { landlockVersion as versionCall } from "../calls/landlock.ts";
import { SyscallError } from "../errors.ts";
import { syscall } from "../syscalls.ts";

/** The version of the kernel's landlock; 0 where it has none, or where that is switched off. */
export function landlockVersion(): number {
  try {
    return syscall(versionCall());
  } catch (error) {
    if (error instanceof SyscallError && ABSENT.has(error.code)) return 0;
    throw error;
  }
}

/** Not built in; not among the security modules that were started; hidden by a seccomp filter. */
const ABSENT: ReadonlySet<string> = new Set(["ENOSYS", "EOPNOTSUPP", "EPERM"]);
