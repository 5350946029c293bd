/**
 * What is mounted where, computed from the steps alone: filesystems that the recipe has mounted, and
 * files of the host that it shows. The paths, the access list and the graph go by this table.
 *
 * @module
 */

import { isWithin, normalize } from "../recipe/path.ts";

/** A mount, as the steps describe it. */
export interface PlannedMount {
  /** Its mount point, in the file tree as it is at this step. */
  readonly target: string;
  /** What is mounted: the type of a filesystem, or `"bind"` for files that are there already. */
  readonly type: string;
  /** What is shown there, or the source of the filesystem. */
  readonly source: string;
  /** The directories that an overlay shows, the topmost first. */
  readonly layers: readonly MountLayer[];
  /** Whether it can only be read. */
  readonly readOnly: boolean;
  /** Whether it is a filesystem of the recipe's own. */
  readonly own: boolean;
  /** Whether it is there in any case, and does not depend on what the container finds. */
  readonly certain: boolean;
  /** The position of the step that has made it; the root of the host has none. */
  readonly stepIndex: number | undefined;
}

/** A directory of an overlay. */
export interface MountLayer {
  /** Its path, on the host or in the container, as the step names it. */
  readonly path: string;
  /** Whether it takes what is written. */
  readonly changes: boolean;
}

/** What is said of a mount when it is made; what is left out is `false` or as for a new filesystem. */
export type MountDescription =
  & Pick<PlannedMount, "target" | "type">
  & Partial<Omit<PlannedMount, "target" | "type">>;

/** A place of the tree with what is mounted there, the topmost last. */
interface Place {
  mounts: Entry[];
  children: Map<string, Place>;
  /** Whether the plan has made a directory here. */
  made: boolean;
}

interface Entry {
  mount: PlannedMount;
  /** What lay below the place before, which the mount covers. */
  readonly covered: Map<string, Place>;
}

function newPlace(): Place {
  return { mounts: [], children: new Map(), made: false };
}

const DEFAULTS = {
  source: "",
  layers: [],
  readOnly: false,
  own: false,
  certain: true,
  stepIndex: undefined,
} as const;

function rootMount(own: boolean): PlannedMount {
  return { ...DEFAULTS, target: "/", type: "bind", source: "/", own };
}

/** The mounts that the steps have made so far. */
export class MountTable {
  #root: Place = newPlace();
  #base: PlannedMount = rootMount(false);
  #tree: "host" | "other" = "host";
  #count = 0;

  /** Adds a mount on top of what is at its mount point. */
  mounted(description: MountDescription): void {
    const target = normalize(description.target);
    const place = this.#makePlace(target);
    const mount: PlannedMount = { ...DEFAULTS, ...description, target };
    place.mounts.push({ mount, covered: place.children });
    place.children = new Map();
    this.#count++;
  }

  /** Takes the topmost mount at a place away. */
  unmounted(target: string): void {
    const place = this.#placeAt(target);
    const entry = place?.mounts.pop();
    if (entry === undefined) return;
    place!.children = entry.covered;
    this.#count--;
  }

  /** Changes whether the topmost mount at a place can only be read. */
  remounted(target: string, readOnly: boolean): void {
    const entry = this.#placeAt(target)?.mounts.at(-1);
    if (entry !== undefined) entry.mount = { ...entry.mount, readOnly };
    else if (normalize(target) === "/") this.#base = { ...this.#base, readOnly };
  }

  /** Notes that the plan has made a directory, and those on the way to it. */
  madeDirectory(path: string): void {
    this.#makePlace(path).made = true;
  }

  /** Whether a step of the recipe has mounted anything that is in sight. */
  get hasMounts(): boolean {
    return this.#count > 0;
  }

  /** Whether a step of the recipe has certainly mounted something exactly here. */
  isMountPoint(target: string): boolean {
    return this.#placeAt(target)?.mounts.some(({ mount }) => mount.certain) ?? false;
  }

  /** Whether the path is known to be there: made, a mount point of the recipe's, or above one. */
  isThere(path: string): boolean {
    if (normalize(path) === "/") return true;
    const place = this.#placeAt(path);
    return place !== undefined && isKnown(place);
  }

  /** Whether the path lies on a filesystem that the recipe has mounted. */
  isContainerMount(path: string): boolean {
    return this.mountOf(path).own;
  }

  /** The mount that the path lies on. */
  mountOf(path: string): PlannedMount {
    return this.#deepest(path, (place) => place.mounts.at(-1)?.mount);
  }

  /** The mount below which the path lies: that on which its parent directory is. */
  mountAbove(path: string): PlannedMount {
    const normal = normalize(path);
    return this.#deepest(
      normal.slice(0, normal.lastIndexOf("/")) || "/",
      (place) => place.mounts.at(-1)?.mount,
    );
  }

  /** Whether paths still begin at the root of the host. */
  get atHostRoot(): boolean {
    return this.#tree === "host";
  }

  /** Whether the path lies on what the host itself has at that place. */
  isHostFile(path: string): boolean {
    return this.atHostRoot && this.mountOf(path) === this.#base;
  }

  /** Whether it may do so: mounts that need not be there are left out. */
  mayBeHostFile(path: string): boolean {
    if (!this.atHostRoot) return false;
    return this.#deepest(
      path,
      (place) => place.mounts.findLast(({ mount }) => mount.certain)?.mount,
    ) === this.#base;
  }

  /** Makes a directory the root. */
  enter(root: string): void {
    const directory = normalize(root);
    if (directory === "/") return;
    const mount = this.mountOf(directory);
    this.#root = { ...newPlace(), children: this.#placeAt(directory)?.children ?? new Map() };
    const rest = directory.slice(mount.target === "/" ? 0 : mount.target.length);
    const source = mount.type === "bind" ? normalize(mount.source + rest) : mount.source;
    this.#base = { ...mount, target: "/", source, certain: true };
    this.#tree = "other";
    this.#count = renameBelow(this.#root, "");
  }

  /** Forgets everything: the container is among mounts that others have made. */
  leave(): void {
    this.#root = newPlace();
    this.#base = rootMount(false);
    this.#tree = "other";
    this.#count = 0;
  }

  /** All mounts that are in sight, by their mount points of now: the root, then the others. */
  visible(): readonly PlannedMount[] {
    return [this.#base, ...entriesBelow(this.#root, "")];
  }

  #deepest(path: string, mountAt: (place: Place) => PlannedMount | undefined): PlannedMount {
    let best = mountAt(this.#root) ?? this.#base;
    walk(this.#root, path, (place) => {
      best = mountAt(place) ?? best;
    });
    return best;
  }

  #placeAt(path: string): Place | undefined {
    return walk(this.#root, path);
  }

  #makePlace(path: string): Place {
    let place = this.#root;
    const normal = normalize(path);
    if (normal === "/") return place;
    for (const part of normal.slice(1).split("/")) {
      let next = place.children.get(part);
      if (next === undefined) place.children.set(part, next = newPlace());
      place = next;
    }
    return place;
  }
}

/** Goes down a path as far as there are places; returns the one at its end, if it gets there. */
function walk(root: Place, path: string, pass?: (place: Place) => void): Place | undefined {
  const normal = normalize(path);
  let place: Place | undefined = root;
  for (let begin = 1; begin < normal.length;) {
    const slash = normal.indexOf("/", begin);
    const end = slash < 0 ? normal.length : slash;
    place = place.children.get(normal.slice(begin, end));
    if (place === undefined) return undefined;
    pass?.(place);
    begin = end + 1;
  }
  return place;
}

function isKnown(place: Place): boolean {
  if (place.made || place.mounts.some(({ mount }) => mount.certain)) return true;
  return place.children.values().some(isKnown);
}

/** Gives the mounts below a place the paths that they have now, and counts them. */
function renameBelow(place: Place, path: string): number {
  let count = place.mounts.length;
  for (const entry of place.mounts) entry.mount = { ...entry.mount, target: path };
  for (const [name, child] of place.children) count += renameBelow(child, `${path}/${name}`);
  return count;
}

function* entriesBelow(place: Place, path: string): Iterable<PlannedMount> {
  for (const { mount } of place.mounts.slice(-1)) yield { ...mount, target: path || "/" };
  for (const [name, child] of place.children) yield* entriesBelow(child, `${path}/${name}`);
}

/** Whether one path lies in the other. */
export function touches(path: string, other: string): boolean {
  return isWithin(path, other) || isWithin(other, path);
}
