/**
 * Filesystems of the kernel among the mounts of the host: they show and change the machine.
 *
 * @module
 */

import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import { isWithin } from "../recipe/path.ts";
import { directoriesAround, VisibleMounts } from "./visible_mounts.ts";

/** The types of these filesystems. */
const KERNEL_TYPES: ReadonlySet<string> = new Set([
  "binder",
  "binfmt_misc",
  "bpf",
  "cgroup",
  "cgroup2",
  "configfs",
  "cpuset",
  "debugfs",
  "devpts",
  "devtmpfs",
  "efivarfs",
  "functionfs",
  "fusectl",
  "mqueue",
  "nfsd",
  "nsfs",
  "proc",
  "pstore",
  "resctrl",
  "rpc_pipefs",
  "securityfs",
  "selinuxfs",
  "smackfs",
  "sysfs",
  "tracefs",
  "xenfs",
]);

/** Whether it is a filesystem of the kernel. */
export function isKernelMount({ type }: MountEntry): boolean {
  return KERNEL_TYPES.has(type);
}

/** Returns the mount whose root is at this path. */
export function mountAt(path: string, mounts: readonly MountEntry[]): MountEntry | undefined {
  return new VisibleMounts(mounts).at(path);
}

/** Returns those in a directory that can be reached there, without those that are in another. */
export function kernelMountsIn(
  directory: string,
  mounts: readonly MountEntry[],
): readonly string[] {
  const found = new Set(
    new VisibleMounts(mounts).all().filter((mount) =>
      isKernelMount(mount) && mount.target !== directory && isWithin(mount.target, directory)
    ).map(({ target }) => target),
  );
  return [...found].filter((path) =>
    !directoriesAround(path, directory).some((at) => found.has(at))
  );
}

/** Returns the directory, if it is in such a filesystem, or the root of one. */
export function kernelMountAround(
  directory: string,
  mounts: readonly MountEntry[],
): readonly string[] {
  const mount = new VisibleMounts(mounts).around(directory);
  return mount !== undefined && isKernelMount(mount) ? [directory] : [];
}
