/**
 * The mount table of a plan, computed from the steps alone. Path lookup, the access list and the
 * graph use it.
 *
 * @module
 */

import { isWithin, normalize } from "../recipe/path.ts";

/** A mount that the steps make. */
export interface PlannedMount {
  /** The mount point, as a path in the container's file tree. */
  readonly target: string;
  /** The type of the filesystem; `"bind"` for a bind mount, `"mask"` for a hidden path. */
  readonly type: string;
  /** The path that is bound, or the source of the filesystem. */
  readonly source: string;
  /**
   * The file of the host that a bind certainly shows, without symbolic links; left out if it shows
   * none, or which one it shows is not known.
   */
  readonly origin?: string;
  /** The directories of an overlay, the topmost first. */
  readonly layers: readonly MountLayer[];
  /** Whether the mount is read-only. */
  readonly readOnly: boolean;
  /** Whether the recipe has created the filesystem. */
  readonly own: boolean;
  /** Whether the mount is always made, and not only if a path exists. */
  readonly certain: boolean;
  /** The position of the step that makes it; `undefined` for the host's root. */
  readonly stepIndex: number | undefined;
}

/** A directory of an overlay. */
export interface MountLayer {
  /** The path of the directory, on the host or in the container, as the step names it. */
  readonly path: string;
  /** Whether changes are written to it: the upper directory. */
  readonly changes: boolean;
}

/** The description of a new mount; fields that are left out have their defaults. */
export type MountDescription =
  & Pick<PlannedMount, "target" | "type">
  & Partial<Omit<PlannedMount, "target" | "type">>
  & {
    /** Whether what is mounted below stays visible: a copy of all of it is mounted on itself. */
    readonly keepsBelow?: boolean;
  };

/** A path of the file tree with its mounts, the topmost last. */
interface Place {
  mounts: Entry[];
  children: Children;
  /** Whether the plan makes a directory here. */
  made: boolean;
}

/** The paths beneath one, by name: `undefined` for none, which most have. */
type Children = Map<string, Place> | undefined;

interface Entry {
  mount: PlannedMount;
  /** The length of the paths of the roots that had been entered when its mount point was written. */
  depth: number;
  /** The paths beneath that the mount covers. */
  readonly covered: Children;
}

function copyOf({ mounts, children, made }: Place): Place {
  return {
    mounts: mounts.map(({ covered, ...entry }) => ({ ...entry, covered: copiesOf(covered) })),
    children: copiesOf(children),
    made,
  };
}

function copiesOf(children: Children): Children {
  return children && new Map(Array.from(children, ([name, place]) => [name, copyOf(place)]));
}

function newPlace(): Place {
  return { mounts: [], children: undefined, made: false };
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

const HOST_ROOT: PlannedMount = { ...rootMount(false), origin: "/" };

/** The mounts that the steps have made so far. */
export class MountTable {
  #root: Place = newPlace();
  #base: PlannedMount = HOST_ROOT;
  #tree: "host" | "other" = "host";
  /** The length of the paths of all roots that were entered, each within the one before. */
  #depth = 0;
  /** Whether another table has the places too. */
  #isShared = false;

  /** Returns a table that goes on from this one. */
  fork(): MountTable {
    const table = new MountTable();
    table.#root = this.#root;
    table.#base = this.#base;
    table.#tree = this.#tree;
    table.#depth = this.#depth;
    this.#isShared = table.#isShared = true;
    return table;
  }

  /** Copies the places, if they are another table's too, before they change. */
  #own(): void {
    if (!this.#isShared) return;
    this.#isShared = false;
    this.#root = copyOf(this.#root);
  }

  /** Adds a mount on top of those at its mount point. */
  mounted({ keepsBelow = false, ...description }: MountDescription): void {
    const target = normalize(description.target);
    const place = this.#makePlace(target);
    const mount: PlannedMount = { ...DEFAULTS, ...description, target };
    place.mounts.push({ mount, depth: this.#depth, covered: place.children });
    if (!keepsBelow) place.children = undefined;
  }

  /** Removes the topmost mount at a path. */
  unmounted(target: string): void {
    this.#own();
    const place = this.#placeAt(target);
    const entry = place?.mounts.pop();
    if (entry === undefined) return;
    place!.children = entry.covered;
  }

  /** Changes whether the topmost mount at a path is read-only. */
  remounted(target: string, readOnly: boolean): void {
    this.#own();
    const entry = this.#placeAt(target)?.mounts.at(-1);
    if (entry !== undefined) entry.mount = { ...entry.mount, readOnly };
    else if (normalize(target) === "/") this.#base = { ...this.#base, readOnly };
  }

  /** Notes that the plan makes a directory and its parents. */
  madeDirectory(path: string): void {
    this.#makePlace(path).made = true;
  }

  /** Whether any mount of the recipe is visible. */
  get hasMounts(): boolean {
    return !entriesBelow(this.#root, "").next().done;
  }

  /** Whether the path is certainly a mount point of the recipe. */
  isMountPoint(target: string): boolean {
    return this.#placeAt(target)?.mounts.some(({ mount }) => mount.certain) ?? false;
  }

  /** Whether the path certainly exists: the plan makes it, mounts on it, or mounts beneath it. */
  isThere(path: string): boolean {
    if (normalize(path) === "/") return true;
    const place = this.#placeAt(path);
    return place !== undefined && isKnown(place);
  }

  /** Whether the path is on a filesystem that the recipe has created. */
  isContainerMount(path: string): boolean {
    return this.mountOf(path).own;
  }

  /** Returns the mount that the path is on. */
  mountOf(path: string): PlannedMount {
    return this.#deepest(path, topOf);
  }

  /** Returns the file of the host that a path without symbolic links shows, if it shows one. */
  originOf(path: string): { readonly origin?: string } {
    const { origin, target } = this.mountOf(path);
    if (origin === undefined) return {};
    return { origin: normalize(`${origin}/${normalize(path).slice(target.length)}`) };
  }

  /** Returns the mount that the parent directory of the path is on. */
  mountAbove(path: string): PlannedMount {
    const normal = normalize(path);
    return this.#deepest(normal.slice(0, normal.lastIndexOf("/")) || "/", topOf);
  }

  /** Whether the root is still the host's. */
  get atHostRoot(): boolean {
    return this.#tree === "host";
  }

  /** Whether the path is a file of the host that no mount of the recipe covers. */
  isHostFile(path: string): boolean {
    return this.atHostRoot && this.mountOf(path) === this.#base;
  }

  /** Whether the path may be such a file: mounts that may be skipped are left out. */
  mayBeHostFile(path: string): boolean {
    if (!this.atHostRoot) return false;
    return this.#deepest(path, certainOf) === this.#base;
  }

  /** Makes a directory the root. */
  enter(root: string): void {
    const directory = normalize(root);
    if (directory === "/") return;
    const mount = this.mountOf(directory);
    this.#root = { ...newPlace(), children: this.#placeAt(directory)?.children };
    const rest = directory.slice(mount.target === "/" ? 0 : mount.target.length);
    const below = (path: string) => mount.type === "bind" ? normalize(path + rest) : path;
    this.#base = {
      ...mount,
      ...this.originOf(directory),
      target: "/",
      source: below(mount.source),
      certain: true,
    };
    this.#tree = "other";
    this.#depth += directory.length;
  }

  /** Forgets all mounts: the container has joined another mount namespace or root. */
  leave(): void {
    this.#root = newPlace();
    this.#base = rootMount(false);
    this.#tree = "other";
  }

  /** Returns all visible mounts with their present mount points, the root first. */
  visible(): readonly PlannedMount[] {
    return [this.#base, ...entriesBelow(this.#root, "")];
  }

  /** Whether something is mounted beneath the path that shows files. */
  showsMoreBelow(path: string): boolean {
    return this.#placeAt(path)?.children?.values().some(showsFiles) ?? false;
  }

  #deepest(path: string, entryAt: (place: Place) => Entry | undefined): PlannedMount {
    let place: Place | undefined = this.#root;
    let best = entryAt(place);
    const normal = normalize(path);
    for (let begin = 1; begin < normal.length && place.children !== undefined;) {
      const slash = normal.indexOf("/", begin);
      const end = slash < 0 ? normal.length : slash;
      place = place.children.get(normal.slice(begin, end));
      if (place === undefined) break;
      best = entryAt(place) ?? best;
      begin = end + 1;
    }
    if (best === undefined) return this.#base;
    if (best.depth === this.#depth) return best.mount;
    if (!this.#isShared) return this.#mountOf(best);
    this.#own();
    return this.#deepest(path, entryAt);
  }

  /** Returns the mount with its mount point beneath the present root. */
  #mountOf(entry: Entry): PlannedMount {
    const { mount, depth } = entry;
    entry.depth = this.#depth;
    return entry.mount = { ...mount, target: mount.target.slice(this.#depth - depth) || "/" };
  }

  #placeAt(path: string): Place | undefined {
    const normal = normalize(path);
    if (normal === "/") return this.#root;
    let place: Place | undefined = this.#root;
    for (const part of normal.slice(1).split("/")) place = place?.children?.get(part);
    return place;
  }

  #makePlace(path: string): Place {
    this.#own();
    let place = this.#root;
    const normal = normalize(path);
    if (normal === "/") return place;
    for (const part of normal.slice(1).split("/")) {
      const children: Map<string, Place> = place.children ??= new Map();
      let next = children.get(part);
      if (next === undefined) children.set(part, next = newPlace());
      place = next;
    }
    return place;
  }
}

function topOf({ mounts }: Place): Entry | undefined {
  return mounts.at(-1);
}

/** The topmost mount that is always made. */
function certainOf({ mounts }: Place): Entry | undefined {
  return mounts.findLast(({ mount }) => mount.certain);
}

function isKnown(place: Place): boolean {
  if (place.made || place.mounts.some(({ mount }) => mount.certain)) return true;
  return place.children?.values().some(isKnown) ?? false;
}

/** Whether files are shown at a place or beneath it. */
function showsFiles({ mounts, children }: Place): boolean {
  const top = mounts.at(-1);
  if (top !== undefined && top.mount.type !== "mask") return true;
  return children?.values().some(showsFiles) ?? false;
}

function* entriesBelow(place: Place, path: string): Generator<PlannedMount> {
  for (const { mount } of place.mounts.slice(-1)) yield { ...mount, target: path || "/" };
  for (const [name, child] of place.children ?? []) yield* entriesBelow(child, `${path}/${name}`);
}

/** Whether one path is within the other. */
export function touches(path: string, other: string): boolean {
  return isWithin(path, other) || isWithin(other, path);
}
