/**
 * What the kernel offers of landlock(7).
 *
 * @module
 */

import { landlockVersion as versionCall } from "../calls/landlock.ts";
import { SyscallError } from "../errors.ts";
import { syscall } from "../syscalls.ts";

/**
 * The version of the kernel's landlock(7); 0 if it has none, or if that is switched off. Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { landlockVersion } from "@ramekin/ramekin/host";
 *
 * console.log(landlockVersion() === 0 ? "no Landlock here" : "Landlock");
 * ```
 */
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
