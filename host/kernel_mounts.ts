/**
 * Filesystems of the kernel among the mounts of the host: they show and change the machine.
 *
 * @module
 */

import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import { isWithin, parentOf } from "../recipe/path.ts";

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
  const visible = new VisibleMounts(mounts);
  const found = new Set(
    mounts.filter((mount) =>
      KERNEL_TYPES.has(mount.type) && mount.target !== directory &&
      isWithin(mount.target, directory) && visible.has(mount)
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
  const visible = new VisibleMounts(mounts);
  let deepest: MountEntry | undefined;
  for (const mount of mounts) {
    if (!isWithin(directory, mount.target) || !visible.has(mount)) continue;
    if (deepest === undefined || mount.target.length >= deepest.target.length) deepest = mount;
  }
  return deepest !== undefined && isKernelMount(deepest) ? [directory] : [];
}

/** Which mounts other mounts cover. A mount on / covers nothing (path_resolution(7)). */
class VisibleMounts {
  readonly #mounts: readonly MountEntry[];
  readonly #byId: ReadonlyMap<number, MountEntry>;
  /** For each mount, the mount points on it. */
  readonly #points = new Map<number, Set<string>>();

  constructor(mounts: readonly MountEntry[]) {
    this.#mounts = mounts;
    this.#byId = new Map(mounts.map((mount) => [mount.id, mount]));
    for (const { parent, target } of mounts) {
      if (target === "/") continue;
      const points = this.#points.get(parent);
      if (points === undefined) this.#points.set(parent, new Set([target]));
      else points.add(target);
    }
  }

  /** Returns the mount whose root is at this path. */
  at(path: string): MountEntry | undefined {
    return this.#mounts.find((mount) => mount.target === path && this.has(mount));
  }

  /** Whether a path leads to the root of the mount. */
  has(mount: MountEntry): boolean {
    if (this.#points.get(mount.id)?.has(mount.target)) return false;
    for (let at = mount, above = this.#above(at); above !== undefined; above = this.#above(at)) {
      const points = this.#points.get(above.id)!;
      if (directoriesAround(at.target, above.target).some((path) => points.has(path))) return false;
      at = above;
    }
    return true;
  }

  #above({ id, parent }: MountEntry): MountEntry | undefined {
    return parent === id ? undefined : this.#byId.get(parent);
  }
}

/** Returns the directories that a path is in, from its own up to the given one. */
export function directoriesAround(path: string, top: string): readonly string[] {
  const directories: string[] = [];
  for (let at = path; at !== top && at !== "/";) directories.push(at = parentOf(at));
  return directories;
}
