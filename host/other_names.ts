/**
 * The other paths at which mounts of the host show a file: a bind mount, or a filesystem that is
 * mounted twice.
 *
 * @module
 */

import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import { isWithin, normalize } from "../recipe/path.ts";
import { isKernelMount } from "./kernel_mounts.ts";
import { VisibleMounts } from "./visible_mounts.ts";

/** A file of a filesystem, by the mount that a path is on. */
interface FilePlace {
  readonly mount: MountEntry;
  /** Its path from the root of the filesystem. */
  readonly path: string;
}

/** Finds other paths by a mount table. */
export class OtherNames {
  readonly #mounts: VisibleMounts;
  /** For each mount whose filesystem has others, these: most have none. */
  readonly #others = new Map<MountEntry, readonly MountEntry[]>();

  constructor(mounts: readonly MountEntry[]) {
    this.#mounts = new VisibleMounts(mounts);
    const all = this.#mounts.all();
    for (const same of Map.groupBy(all, deviceOf).values()) {
      if (same.length === 1) continue;
      for (const mount of same) this.#others.set(mount, same.filter((other) => other !== mount));
    }
  }

  /**
   * Returns the other paths of a file or directory, of what is in it, and of what is mounted in it. A
   * path that is missing has them as well, as what is made at one is there at the others.
   */
  of(path: string): readonly string[] {
    if (this.#others.size === 0) return [];
    const places = this.#placeOf(path);
    for (const mount of this.#others.keys()) {
      if (!isBelow(mount, path)) continue;
      // A filesystem of the kernel has no files that a program could make.
      if (!isKernelMount(mount)) places.push({ mount, path: mount.root });
    }
    const names = places.flatMap((place) => [...this.#wholes(place), ...this.#parts(place)]);
    return [...new Set(names)].filter((name) => !isWithin(name, path));
  }

  /** Returns the other paths of the whole of a file or directory. */
  wholeOf(path: string): readonly string[] {
    return this.#placeOf(path).flatMap((place) => this.#wholes(place));
  }

  /** Returns the mounts below a directory. */
  mountsIn(directory: string): readonly MountEntry[] {
    return this.#mounts.all().filter((mount) => isBelow(mount, directory));
  }

  /** Returns the place of a path, if its filesystem has other mounts. */
  #placeOf(path: string): FilePlace[] {
    const mount = this.#others.size === 0 ? undefined : this.#mounts.around(path);
    if (mount === undefined || !this.#others.has(mount)) return [];
    return [{ mount, path: normalize(`${mount.root}/${path.slice(lengthOf(mount.target))}`) }];
  }

  /** Returns the paths of a whole at other mounts. */
  #wholes({ mount, path }: FilePlace): readonly string[] {
    return this.#others.get(mount)!.filter(({ root }) => isWithin(path, root)).flatMap((other) => {
      const name = normalize(`${other.target}/${path.slice(lengthOf(other.root))}`);
      // Something else may be mounted there.
      return this.#mounts.around(name) === other ? [name] : [];
    });
  }

  /** Returns the mounts of parts of a directory. */
  #parts({ mount, path }: FilePlace): readonly string[] {
    return this.#others.get(mount)!.filter(({ root }) => root !== path && isWithin(root, path))
      .map(({ target }) => target);
  }
}

function isBelow({ target }: MountEntry, directory: string): boolean {
  return target !== directory && isWithin(target, directory);
}

function deviceOf({ device: { major, minor } }: MountEntry): string {
  return `${major}:${minor}`;
}

function lengthOf(directory: string): number {
  return directory === "/" ? 0 : directory.length;
}
