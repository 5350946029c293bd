/**
 * What an errno means whatever call it is of, where the call itself says nothing.
 *
 * @module
 */

import { shortageHint } from "../ffi/engine/failure.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { FILTERED, READ_ONLY } from "./fixes.ts";

/** What to do about it, where there is something. */
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

/** The first version of Linux with each call that older ones do not have. */
const SINCE: Readonly<Record<string, string>> = {
  close_range: "5.9",
  mount_setattr: "5.12",
  move_mount: "5.2",
  open_tree: "5.2",
  openat2: "5.6",
  pidfd_open: "5.3",
};

/** The calls that the kernel itself denies nobody. */
const UNDENIED: ReadonlySet<string> = new Set(["close_range", "openat2", "pidfd_open"]);
