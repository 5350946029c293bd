/**
 * Where on the host a path of a recipe leads, through what it has mounted so far.
 *
 * @module
 */

import {
  folderOf,
  type Ground,
  HOST_ROOT,
  isWithin,
  nameOf,
  normalize,
} from "../drafting/ground.ts";
import type { Sequence } from "../drafting/sequence.ts";
import { type Place, resolve } from "./resolve.ts";

/** Tells where paths lead. */
export class HostPlaces {
  readonly #sequence: Sequence;
  readonly #ground: Ground;

  /** Goes by what the steps have mounted by the time that it is asked. */
  constructor(sequence: Sequence, ground: Ground) {
    this.#sequence = sequence;
    this.#ground = ground;
  }

  /** Whether the path may be one of the host's that no step has brought in. */
  mayBeHosts(path: string): boolean {
    return this.#ground.atHostRoot && (climbs(path) || this.#ground.mayBeHosts(path));
  }

  /**
   * The path by which to open, without following links: `undefined` once the recipe is in a root of
   * its own, where links lead to nothing else.
   *
   * @param path begins with `/`
   */
  openedAs(path: string): string | undefined {
    return this.#ground.atHostRoot ? this.#placeOf(path).path : undefined;
  }

  /** Where a path leads, without links; refuses the step where that has no path. */
  placeOf(path: string): Place {
    const place = this.#placeOf(path);
    if (place.path.startsWith("/")) return place;
    return this.#sequence.refuse(`${path} is ${place.path}, which has no path of its own`);
  }

  /** A source as a path from the root: one from the working directory is the script's. */
  sourceOf(source: string): string | undefined {
    if (source.startsWith("/")) return source;
    const moved = ["chdir", "chroot", "join"].some((step) => this.#sequence.cameBefore(step));
    return moved || !this.#ground.atHostRoot ? undefined : `${Deno.cwd()}/${source}`;
  }

  #placeOf(path: string): Place {
    const mount = this.#ground.mountOf(path);
    if (mount === HOST_ROOT || climbs(path)) return resolve(path);
    const normal = normalize(path);
    if (normal !== mount.target) {
      return below(this.#placeOf(mount.target), mount.target, normal);
    }
    const folder = folderOf(normal);
    if (this.#ground.mountOf(folder) === HOST_ROOT) return resolve(path);
    const { path: place } = this.#placeOf(folder);
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

function below(place: Place, folder: string, path: string): Place {
  const rest = path.slice(folder === "/" ? 0 : folder.length);
  return { path: (place.path === "/" ? "" : place.path) + rest, type: undefined };
}
