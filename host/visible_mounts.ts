/**
 * Which mounts a path can lead to: others may be mounted over them.
 *
 * @module
 */

import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import { parentOf } from "../recipe/path.ts";

/** The mounts of a host, without those that others cover. A mount on / covers nothing (path_resolution(7)). */
export class VisibleMounts {
  readonly #byId: ReadonlyMap<number, MountEntry>;
  /** For each mount, the mount points on it. */
  readonly #points = new Map<number, Set<string>>();
  /** Those that can be reached, by their mount points. */
  readonly #byTarget = new Map<string, MountEntry>();

  constructor(mounts: readonly MountEntry[]) {
    this.#byId = new Map(mounts.map((mount) => [mount.id, mount]));
    for (const { parent, target } of mounts) {
      if (target === "/") continue;
      const points = this.#points.get(parent);
      if (points === undefined) this.#points.set(parent, new Set([target]));
      else points.add(target);
    }
    for (const mount of mounts) {
      // Of several on /, the first is the one that paths begin on.
      if (this.#has(mount) && !this.#byTarget.has(mount.target)) {
        this.#byTarget.set(mount.target, mount);
      }
    }
  }

  /** Returns all of them. */
  all(): readonly MountEntry[] {
    return [...this.#byTarget.values()];
  }

  /** Returns the mount whose root is at this path. */
  at(path: string): MountEntry | undefined {
    return this.#byTarget.get(path);
  }

  /** Returns the mount that a path is on; `undefined` if it is that of a chroot, which is not listed. */
  around(path: string): MountEntry | undefined {
    for (let at = path;; at = parentOf(at)) {
      const mount = this.#byTarget.get(at);
      if (mount !== undefined || at === "/") return mount;
    }
  }

  /** Whether a path leads to the root of the mount. */
  #has(mount: MountEntry): boolean {
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
