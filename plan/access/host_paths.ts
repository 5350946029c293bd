/**
 * Where on the host a path of a recipe leads, through what it has mounted so far.
 *
 * @module
 */

import { directoryOf, isWithin, nameOf, normalize } from "../../recipe/path.ts";
import { HOST_ROOT, type MountTable } from "../mount_table.ts";
import type { StepCursor } from "../step_cursor.ts";
import { type Place, resolve } from "../../host/resolve_path.ts";

/** Tells where paths lead. */
export class HostPaths {
  readonly #sequence: StepCursor;
  readonly #mounts: MountTable;

  /** Goes by what the steps have mounted by the time that it is asked. */
  constructor(sequence: StepCursor, mounts: MountTable) {
    this.#sequence = sequence;
    this.#mounts = mounts;
  }

  /** Whether the path may be one of the host's that no step has brought in. */
  mayBeHosts(path: string): boolean {
    return this.#mounts.atHostRoot && (climbs(path) || this.#mounts.mayBeHosts(path));
  }

  /**
   * The path by which to open, without following links: `undefined` once the recipe is in a root of
   * its own, where links lead to nothing else.
   *
   * @param path begins with `/`
   */
  resolvedPath(path: string): string | undefined {
    return this.#mounts.atHostRoot ? this.#placeOf(path).path : undefined;
  }

  /** Where a path leads, without links; refuses the step where that has no path. */
  placeOf(path: string): Place {
    const place = this.#placeOf(path);
    if (place.path.startsWith("/")) return place;
    return this.#sequence.refuse(`${path} is ${place.path}, which has no path of its own`);
  }

  /** A source as a path from the root: one from the working directory is the script's. */
  hostSource(source: string): string | undefined {
    if (source.startsWith("/")) return source;
    const moved = ["chdir", "chroot", "join"].some((step) => this.#sequence.cameBefore(step));
    return moved || !this.#mounts.atHostRoot ? undefined : `${Deno.cwd()}/${source}`;
  }

  #placeOf(path: string): Place {
    const mount = this.#mounts.mountOf(path);
    if (mount === HOST_ROOT || climbs(path)) return resolve(path);
    const normal = normalize(path);
    if (normal !== mount.target) {
      return below(this.#placeOf(mount.target), mount.target, normal);
    }
    const directory = directoryOf(normal);
    if (this.#mounts.mountOf(directory) === HOST_ROOT) return resolve(path);
    const { path: place } = this.#placeOf(directory);
    return {
      path: place === "/" ? `/${nameOf(normal)}` : `${place}/${nameOf(normal)}`,
      type: undefined,
    };
  }
}

/** Whether one lies in the other. */
export function touches(path: string, other: string): boolean {
  return isWithin(path, other) || isWithin(other, path);
}

/** Whether there is a `..` in it, by which it may leave the mount that it seems to lie on. */
function climbs(path: string): boolean {
  return path.split("/").includes("..");
}

function below(place: Place, directory: string, path: string): Place {
  const rest = path.slice(directory === "/" ? 0 : directory.length);
  return { path: (place.path === "/" ? "" : place.path) + rest, type: undefined };
}
