/**
 * Mounts by descriptors: a mount can be prepared before it is visible, and a path cannot change
 * between a check and its use.
 *
 * @module
 */

import * as calls from "../calls/mounts.ts";
import { syscall } from "../syscalls.ts";
import { needs } from "./capability_hint.ts";
import { type Fd, OwnedFd, raw } from "./owned_fd.ts";

const TAKES_ADMIN = needs("CAP_SYS_ADMIN", '"user", "mount"');

/**
 * Opens a mount, or with `OPEN_TREE_CLONE` a detached copy of it. See
 * [open_tree(2)](https://man7.org/linux/man-pages/man2/open_tree.2.html). Linux 5.2.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN for a copy, `ENOENT`, `EACCES`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assert } from "@std/assert";
 *
 * using root = linux.open_tree(linux.AT_FDCWD, "/");
 * assert(root.number > 2);
 * ```
 */
export function open_tree(directory: Fd, path: string, flags = calls.OPEN_TREE_CLOEXEC): OwnedFd {
  return new OwnedFd(
    syscall(calls.open_tree(raw(directory), path, flags), {
      EPERM: TAKES_ADMIN,
      EINVAL: "an unprivileged user cannot copy without the mounts below; pass linux.AT_RECURSIVE",
    }),
  );
}

/**
 * Attaches a mount, or moves it. See
 * [move_mount(2)](https://man7.org/linux/man-pages/man2/move_mount.2.html). Linux 5.2.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `ENOENT`, `EINVAL`
 * @tags allow-ffi
 *
 * @example For a Worker with a mount namespace: a directory at a second place, read-only
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function bindReadOnly(from: string, to: string): void {
 *   using tree = linux.open_tree(
 *     linux.AT_FDCWD,
 *     from,
 *     linux.OPEN_TREE_CLONE | linux.OPEN_TREE_CLOEXEC,
 *   );
 *   linux.mount_setattr(tree, "", linux.AT_EMPTY_PATH, { attr_set: linux.MOUNT_ATTR_RDONLY });
 *   linux.move_mount(tree, "", linux.AT_FDCWD, to, linux.MOVE_MOUNT_F_EMPTY_PATH);
 * }
 * ```
 */
export function move_mount(
  fromDirectory: Fd,
  fromPath: string,
  toDirectory: Fd,
  toPath: string,
  flags = 0,
): void {
  syscall(calls.move_mount(raw(fromDirectory), fromPath, raw(toDirectory), toPath, flags), {
    EPERM: TAKES_ADMIN,
    EINVAL:
      "a directory can be mounted only on a directory, a file only on a file, and a mount cannot " +
      "be moved out of a shared one (MS_PRIVATE)",
    ENOTDIR: "a directory can be mounted only on a directory, and a file only on a file",
  });
}

/**
 * Changes the attributes of a mount, with `AT_RECURSIVE` also of the mounts below. See
 * [mount_setattr(2)](https://man7.org/linux/man-pages/man2/mount_setattr.2.html). Linux 5.12.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN or if an attribute is locked, `EINVAL` if it
 * is not a mount or attributes contradict each other
 * @tags allow-ffi
 *
 * @example For a Worker with a mount namespace
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function makeReadOnly(path: string): void {
 *   const attributes = { attr_set: linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID };
 *   linux.mount_setattr(linux.AT_FDCWD, path, linux.AT_RECURSIVE, attributes);
 * }
 * ```
 */
export function mount_setattr(
  directory: Fd,
  path: string,
  flags: number,
  attributes: calls.MountAttributes,
): void {
  syscall(calls.mount_setattr(raw(directory), path, flags, attributes), {
    EPERM: `${TAKES_ADMIN}; attributes that were set outside of the user namespace are locked`,
    EINVAL: "the path is not a mount, or the attributes contradict each other",
  });
}

/**
 * Opens a filesystem to configure it. See
 * [fsopen(2)](https://man7.org/linux/man-pages/man2/fsopen.2.html). Linux 5.2.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `ENODEV` for an unknown type
 * @tags allow-ffi
 *
 * @example For a Worker with a mount namespace: a tmpfs, option by option
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function tmpfs(path: string): void {
 *   using filesystem = linux.fsopen("tmpfs");
 *   linux.fsconfig(filesystem, linux.FSCONFIG_SET_STRING, "size", "10m");
 *   linux.fsconfig(filesystem, linux.FSCONFIG_CMD_CREATE);
 *   using mount = linux.fsmount(filesystem, linux.FSMOUNT_CLOEXEC, linux.MOUNT_ATTR_NOSUID);
 *   linux.move_mount(mount, "", linux.AT_FDCWD, path, linux.MOVE_MOUNT_F_EMPTY_PATH);
 * }
 * ```
 */
export function fsopen(type: string, flags = calls.FSOPEN_CLOEXEC): OwnedFd {
  return new OwnedFd(
    syscall(calls.fsopen(type, flags), {
      EPERM: TAKES_ADMIN,
      ENODEV: "this kernel does not know the type of filesystem (see /proc/filesystems)",
    }),
  );
}

/**
 * Configures a filesystem. See
 * [fsconfig(2)](https://man7.org/linux/man-pages/man2/fsconfig.2.html). Linux 5.2.
 *
 * The kernel's message about a refused option can be read from the descriptor.
 *
 * @throws {SyscallError} `EINVAL` for an option or value that the filesystem does not know
 * @tags allow-ffi
 *
 * @example For a Worker with a mount namespace
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function smallTmpfs(): linux.OwnedFd {
 *   const filesystem = linux.fsopen("tmpfs");
 *   linux.fsconfig(filesystem, linux.FSCONFIG_SET_STRING, "size", "1m");
 *   linux.fsconfig(filesystem, linux.FSCONFIG_SET_FLAG, "ro");
 *   return filesystem;
 * }
 * ```
 */
export function fsconfig(
  filesystem: Fd,
  command: number,
  key: string | null = null,
  value: string | Uint8Array<ArrayBuffer> | null = null,
  aux: Fd = 0,
): void {
  syscall(calls.fsconfig(raw(filesystem), command, key, value, raw(aux)), {
    EPERM: TAKES_ADMIN,
    EINVAL: "the filesystem refuses an option; linux.read of its descriptor returns which",
  });
}

/**
 * Creates a detached mount of a configured filesystem. See
 * [fsmount(2)](https://man7.org/linux/man-pages/man2/fsmount.2.html). Linux 5.2.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` before `FSCONFIG_CMD_CREATE`
 * @tags allow-ffi
 *
 * @example For a Worker with a mount namespace
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function detachedTmpfs(): linux.OwnedFd {
 *   using filesystem = linux.fsopen("tmpfs");
 *   linux.fsconfig(filesystem, linux.FSCONFIG_CMD_CREATE);
 *   return linux.fsmount(filesystem, linux.FSMOUNT_CLOEXEC, linux.MOUNT_ATTR_NODEV);
 * }
 * ```
 */
export function fsmount(
  filesystem: Fd,
  flags = calls.FSMOUNT_CLOEXEC,
  attributes = 0,
): OwnedFd {
  return new OwnedFd(
    syscall(calls.fsmount(raw(filesystem), flags, attributes), {
      EPERM: TAKES_ADMIN,
      EINVAL: "create the filesystem first: fsconfig with linux.FSCONFIG_CMD_CREATE",
    }),
  );
}

/**
 * Opens the filesystem of a mount to reconfigure it. See
 * [fspick(2)](https://man7.org/linux/man-pages/man2/fspick.2.html). Linux 5.2.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` if it is not a mount
 * @tags allow-ffi
 *
 * @example For a Worker with a mount namespace
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function resize(path: string, size: string): void {
 *   using filesystem = linux.fspick(linux.AT_FDCWD, path);
 *   linux.fsconfig(filesystem, linux.FSCONFIG_SET_STRING, "size", size);
 *   linux.fsconfig(filesystem, linux.FSCONFIG_CMD_RECONFIGURE);
 * }
 * ```
 */
export function fspick(directory: Fd, path: string, flags = calls.FSPICK_CLOEXEC): OwnedFd {
  return new OwnedFd(
    syscall(calls.fspick(raw(directory), path, flags), {
      EPERM: TAKES_ADMIN,
      EINVAL: "the path is not a mount",
    }),
  );
}
