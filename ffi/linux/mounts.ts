/**
 * Mounts, in the mount namespace of the calling thread.
 *
 * @module
 */

import * as calls from "../calls/mounts.ts";
import { readStatfs, statfs as statfsCall, statfsOutput } from "../calls/statfs.ts";
import type { FilesystemState } from "../calls/statfs.ts";
import { syscall, syscalls } from "../syscalls.ts";
import { needs } from "./capability_hint.ts";

const TAKES_ADMIN = needs("CAP_SYS_ADMIN", '"user", "mount"');
const UNKNOWN_TYPE = "this kernel does not know the type of filesystem (see /proc/filesystems)";

/**
 * Mounts a filesystem, or changes, moves or binds a mount. See
 * [mount(2)](https://man7.org/linux/man-pages/man2/mount.2.html).
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `ENOENT`, `ENOTDIR`, `ENODEV` for an
 * unknown type, `EINVAL` for an option that the filesystem does not know
 * @tags allow-ffi
 *
 * @example For a Worker: mounts that no other process sees
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function scratch(path: string): void {
 *   linux.unshare(linux.CLONE_NEWNS);
 *   linux.mount(null, "/", null, linux.MS_REC | linux.MS_PRIVATE);
 *   linux.mount("tmpfs", path, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=10m");
 * }
 * ```
 */
export function mount(
  source: string | null,
  target: string,
  type: string | null,
  flags = 0,
  data: string | null = null,
): void {
  syscall(calls.mount(source, target, type, flags, data), {
    EPERM: TAKES_ADMIN,
    ENODEV: UNKNOWN_TYPE,
  });
}

/**
 * Unmounts a filesystem. See [umount2(2)](https://man7.org/linux/man-pages/man2/umount.2.html).
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` if it is not a mount point, `EBUSY`
 * while it is in use
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function detach(path: string): void {
 *   linux.umount2(path, linux.MNT_DETACH);
 * }
 * ```
 */
export function umount2(target: string, flags = 0): void {
  syscall(calls.umount2(target, flags), {
    EPERM: TAKES_ADMIN,
    EBUSY: "it is in use; linux.MNT_DETACH detaches it all the same",
    EINVAL: "it is not a mount point, or was mounted outside of the user namespace",
  });
}

/**
 * Returns the state of the filesystem that a file is on. See
 * [statfs(2)](https://man7.org/linux/man-pages/man2/statfs.2.html).
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const PROC_SUPER_MAGIC = 0x9fa0;
 * assertEquals(linux.statfs("/proc").type, PROC_SUPER_MAGIC);
 * ```
 */
export function statfs(path: string): FilesystemState {
  const state = statfsOutput();
  return readStatfs(syscalls([{ call: statfsCall(path, state) }]).output(state));
}
