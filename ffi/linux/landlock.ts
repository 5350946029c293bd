/**
 * The version of the kernel's landlock(7).
 *
 * @module
 */

import { landlockVersion as versionCall } from "../calls/landlock.ts";
import { ifThere } from "../missing.ts";
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
  return ifThere(() => syscall(versionCall()), ABSENT) ?? 0;
}

/** It is not built in; it is not among the enabled security modules; a seccomp filter hides it. */
const ABSENT = ["ENOSYS", "EOPNOTSUPP", "EPERM"] as const;
