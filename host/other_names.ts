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
  /** The mounts of each filesystem. */
  readonly #byDevice: ReadonlyMap<string, readonly MountEntry[]>;

  constructor(mounts: readonly MountEntry[]) {
    this.#mounts = new VisibleMounts(mounts);
    this.#byDevice = Map.groupBy(this.#mounts.all(), deviceOf);
  }

  /**
   * Returns the other paths of a file or directory, of what is in it, and of what is mounted in it. A
   * path that is missing has them as well, as what is made at one is there at the others.
   */
  of(path: string): readonly string[] {
    const around = this.#mounts.around(path);
    // A filesystem of the kernel has no files that a program could make.
    const places = this.mountsIn(path).filter((mount) => !isKernelMount(mount))
      .map((mount): FilePlace => ({ mount, path: mount.root }));
    if (around !== undefined) places.push({ mount: around, path: placeOn(around, path) });
    const names = places.flatMap((place) => [...this.#wholes(place), ...this.#parts(place)]);
    return [...new Set(names)].filter((name) => !isWithin(name, path));
  }

  /** Returns the other paths of the whole of a file or directory. */
  wholeOf(path: string): readonly string[] {
    const around = this.#mounts.around(path);
    if (around === undefined) return [];
    return this.#wholes({ mount: around, path: placeOn(around, path) });
  }

  /** Returns the mounts below a directory. */
  mountsIn(directory: string): readonly MountEntry[] {
    return this.#mounts.all().filter(({ target }) =>
      target !== directory && isWithin(target, directory)
    );
  }

  /** Returns the paths of a whole at other mounts. */
  #wholes({ mount, path }: FilePlace): readonly string[] {
    return this.#others(mount).filter(({ root }) => isWithin(path, root)).flatMap((other) => {
      const name = normalize(`${other.target}/${path.slice(lengthOf(other.root))}`);
      // Something else may be mounted there.
      return this.#mounts.around(name) === other ? [name] : [];
    });
  }

  /** Returns the mounts of parts of a directory. */
  #parts({ mount, path }: FilePlace): readonly string[] {
    return this.#others(mount).filter(({ root }) => root !== path && isWithin(root, path))
      .map(({ target }) => target);
  }

  #others(mount: MountEntry): readonly MountEntry[] {
    return this.#byDevice.get(deviceOf(mount))?.filter((other) => other !== mount) ?? [];
  }
}

function deviceOf({ device: { major, minor } }: MountEntry): string {
  return `${major}:${minor}`;
}

/** Returns the path of a file from the root of the filesystem that a mount shows. */
function placeOn({ root, target }: MountEntry, path: string): string {
  return normalize(`${root}/${path.slice(lengthOf(target))}`);
}

function lengthOf(directory: string): number {
  return directory === "/" ? 0 : directory.length;
}
