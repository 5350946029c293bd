/**
 * Fixes by errno, for calls without a fix of their own.
 *
 * @module
 */

import { shortageHint } from "../ffi/engine/failure.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { FILTERED, READ_ONLY } from "./fixes.ts";

/** Returns the fix for an error of a system call, if there is one. */
export function generalFix(syscall: string, code: ErrnoName | undefined): string | undefined {
  switch (code) {
    case "ENOSYS":
      return syscall in SINCE
        ? `the call needs Linux ${SINCE[syscall]}, and no seccomp filter that hides it`
        : "this kernel, or a seccomp filter around this process, does not have the call";
    case "EPERM":
      return UNDENIED.has(syscall) ? FILTERED : undefined;
    case "EROFS":
      return READ_ONLY;
    case "ELOOP":
      return "there are too many symbolic links on the way";
    default:
      return shortageHint(code);
  }
}

/** The version of Linux that added each call. */
const SINCE: Readonly<Record<string, string>> = {
  close_range: "5.9",
  mount_setattr: "5.12",
  move_mount: "5.2",
  open_tree: "5.2",
  openat2: "5.6",
  pidfd_open: "5.3",
};

/** The calls for which only a filter or a security module causes EPERM. */
const UNDENIED: ReadonlySet<string> = new Set(["close_range", "openat2", "pidfd_open"]);
