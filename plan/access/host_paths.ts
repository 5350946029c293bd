/**
 * Resolves paths of a recipe to paths of the host, through the mounts of the steps so far.
 *
 * @module
 */

import type { MountEntry } from "../../ffi/proc/mountinfo.ts";
import type { Host } from "../../host/host.ts";
import type { ResolvedPath } from "../../host/resolve_path.ts";
import { climbs, nameOf, normalize, parentOf } from "../../recipe/path.ts";
import type { MountTable } from "../mount_table.ts";
import type { StepCursor } from "../step_cursor.ts";

/** A path of the host, and the type of the file there; `undefined` if it is missing or unknown. */
export type HostPlace = Pick<ResolvedPath, "path" | "type">;

/** What resolving a path needs of the host. */
export type PathHost = Pick<Host, "resolve" | "workingDirectory"> & {
  /** The mounts of the host. */
  readonly mounts: readonly MountEntry[];
};

/** Resolves paths by the mounts that the steps have made at the time of each call. */
export class HostPaths {
  readonly #cursor: StepCursor;
  readonly #mounts: MountTable;
  readonly #host: PathHost;

  constructor(cursor: StepCursor, mounts: MountTable, host: PathHost) {
    this.#cursor = cursor;
    this.#mounts = mounts;
    this.#host = host;
  }

  /** Whether the path may be a file of the host that no step has mounted. */
  mayBeHostFile(path: string): boolean {
    return this.#mounts.atHostRoot &&
      (climbs(path) || this.#mounts.mayBeHostFile(path) || this.hostRootAround(path) !== undefined);
  }

  /**
   * Returns the later root that a path lies in, if the path can lead to any file of the host in it:
   * that root is a directory of the host's, the kernel looks the path up as in it, and follows a
   * symbolic link on the way, of the host's or on a mount of the recipe.
   */
  hostRootAround(path: string): string | undefined {
    const root = this.#cursor.rootOf(path);
    if (root === undefined || climbs(path) || !this.#mounts.mayBeHostFile(root)) return undefined;
    const normal = normalize(path);
    if (!this.#mounts.isHostFile(parentOf(normal))) return root;
    if (!this.#mounts.isHostFile(normal)) return undefined;
    const resolved = this.#host.resolve(normal);
    // Of a machine that is not here yet it is not known whether there is a link.
    if (resolved.late === true) return root;
    return isPlainIn(root, resolved, this.#host) ? undefined : root;
  }

  /** Returns the path without symbolic links. Refuses the step if the file has no path. */
  placeOf(path: string): HostPlace {
    const place = this.#placeOf(path);
    if (place.path.startsWith("/")) return place;
    return this.#cursor.refuse(`${path} is ${place.path}, which has no path`);
  }

  /**
   * Returns a source as an absolute path of the host; `undefined` if it is the container's. A
   * relative one starts at the script's working directory, unless a step has changed that.
   */
  hostSource(source: string): string | undefined {
    if (source.startsWith("/")) return source;
    const moved = ["chdir", "chroot", "join"].some((step) => this.#cursor.cameBefore(step));
    if (moved || !this.#mounts.atHostRoot) return undefined;
    return `${this.#host.workingDirectory()}/${source}`;
  }

  #placeOf(path: string): HostPlace {
    const root = this.hostRootAround(path);
    if (root !== undefined) return this.#host.resolve(root);
    if (climbs(path) || this.#mounts.isHostFile(path)) return this.#host.resolve(path);
    const mount = this.#mounts.mountOf(path);
    const normal = normalize(path);
    if (normal !== mount.target) {
      return below(this.#placeOf(mount.target), mount.target, normal);
    }
    const directory = parentOf(normal);
    if (this.#mounts.isHostFile(directory)) return this.#host.resolve(path);
    return below(this.#placeOf(directory), directory, normal, nameOf(normal));
  }
}

/**
 * Whether no link is on the way from a later root to a path of the host in it. Such links are followed
 * as if it were the root already.
 */
export function isPlainIn(
  root: string,
  { asked, path }: ResolvedPath,
  host: Pick<Host, "resolve">,
): boolean {
  return path === host.resolve(root).path + asked.slice(root.length);
}

function below(place: HostPlace, directory: string, path: string, name?: string): HostPlace {
  const rest = name === undefined
    ? path.slice(directory === "/" ? 0 : directory.length)
    : `/${name}`;
  return { path: (place.path === "/" ? "" : place.path) + rest, type: undefined };
}
