/**
 * The version of the kernel's landlock(7).
 *
 * @module
 */

import { landlockVersion as versionCall } from "../calls/landlock.ts";
import { ifThere } from "../missing.ts";
import { syscall } from "../syscalls.ts";

/** Returns the version of the kernel's Landlock ABI; 0 if it has none, or if it is disabled. */
export function landlockVersion(): number {
  return ifThere(() => syscall(versionCall()), ABSENT) ?? 0;
}

/** It is not built in; it is not among the enabled security modules; a seccomp filter hides it. */
const ABSENT = ["ENOSYS", "EOPNOTSUPP", "EPERM"] as const;
