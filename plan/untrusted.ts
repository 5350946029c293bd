/**
 * Directories of the host in which an untrusted program may have put symbolic links: an earlier one
 * of the same recipe, say, or one that still runs (CVE-2021-30465). No path of the host is followed
 * over such a link, by whichever name it reaches the directory.
 *
 * @module
 */

import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import type { Host } from "../host/host.ts";
import type { ResolvedPath } from "../host/resolve_path.ts";
import { isWithin, normalize, parentOf } from "../recipe/path.ts";

/** A link that may lead anywhere, and the directory in which it lies. */
export interface UntrustedLink {
  readonly link: string;
  /** The path of the directory, as the recipe names it. */
  readonly directory: string;
}

/** A mount that shows a part of an untrusted directory. */
interface MountOfPart {
  readonly target: string;
  readonly directory: ResolvedPath;
}

/** The directories that untrusted programs change. */
export class UntrustedDirectories {
  readonly #host: Host;
  readonly #directories: readonly ResolvedPath[];
  #parts: readonly MountOfPart[] | undefined;
  /** For each directory that has been looked at, the untrusted one that it is in. */
  readonly #known = new Map<string, ResolvedPath | undefined>();

  constructor(host: Host, sources: readonly string[]) {
    this.#host = host;
    // A directory that is missing has no links, and one without an id cannot be bound.
    this.#directories = sources.map((source) => host.resolve(source))
      .filter(({ id }) => id !== undefined);
  }

  /** Returns such a link on the way to a path, or one that has changed while the path was resolved. */
  linkOn({ asked, path }: ResolvedPath): UntrustedLink | undefined {
    if (this.#directories.length === 0 || path === normalize(asked)) return undefined;
    const followed = this.#host.followLinks(asked);
    for (const link of followed.links) {
      const directory = this.#around(parentOf(link));
      if (directory !== undefined) return { link, directory: directory.asked };
    }
    if (followed.path === path) return undefined;
    return { link: followed.links.at(-1) ?? asked, directory: this.#directories[0]!.asked };
  }

  /** Returns the directory that the path is in, by this name or by another one. */
  #around(path: string): ResolvedPath | undefined {
    if (this.#known.has(path)) return this.#known.get(path);
    const { id } = this.#host.resolve(path);
    const found = this.#directories.find((directory) => directory.id === id) ??
      (path === "/" ? undefined : this.#around(parentOf(path))) ??
      this.#mountsOfParts().find(({ target }) => isWithin(path, target))?.directory;
    this.#known.set(path, found);
    return found;
  }

  /**
   * Returns the mounts that show a part of such a directory. Of what is below them no directory around
   * it need be that directory.
   */
  #mountsOfParts(): readonly MountOfPart[] {
    if (this.#parts !== undefined) return this.#parts;
    const mounts = this.#host.mounts();
    return this.#parts = this.#directories.flatMap((directory) => {
      const around = mountAround(directory.path, mounts);
      if (around === undefined) return [];
      const rest = directory.path.slice(around.target === "/" ? 0 : around.target.length);
      const place = normalize(`${around.root}/${rest}`);
      return mounts.filter(({ device, root }) =>
        device.major === around.device.major && device.minor === around.device.minor &&
        isWithin(root, place)
      ).map(({ target }) => ({ target, directory }));
    });
  }
}

/** Returns the mount that a path is on; `undefined` if it is that of a chroot, which is not listed. */
export function mountAround(path: string, mounts: readonly MountEntry[]): MountEntry | undefined {
  let deepest: MountEntry | undefined;
  for (const mount of mounts) {
    if (!isWithin(path, mount.target)) continue;
    if (deepest === undefined || mount.target.length >= deepest.target.length) deepest = mount;
  }
  return deepest;
}
