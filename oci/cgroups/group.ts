/**
 * The control groups of a container: a directory in each hierarchy, at the path that the engine has
 * named.
 *
 * @module
 */

import { has, type Hierarchy } from "./hierarchies.ts";
import { pidsBelow, removeBelow } from "./walk.ts";

/** The group of a container in one hierarchy. */
export interface GroupDirectory {
  readonly hierarchy: Hierarchy;
  readonly path: string;
}

/** The controllers of version 2 that are given to the groups on the way, where they are there. */
const CONTROLLERS = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"];

/**
 * Makes the groups.
 *
 * @param path the path of the group in each hierarchy
 * @param required whether all have to be made; otherwise those that this user may not make are left
 * out
 */
export function makeGroups(
  hierarchies: readonly Hierarchy[],
  path: string,
  required: boolean,
): readonly GroupDirectory[] {
  const made: GroupDirectory[] = [];
  for (const hierarchy of hierarchies) {
    try {
      made.push({ hierarchy, path: makeGroup(hierarchy, path) });
    } catch (error) {
      if (required || !isRefusal(error)) throw error;
    }
  }
  return made;
}

function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable ||
    (error instanceof Error && /EROFS|EPERM|os error (1|30)\b/.test(error.message));
}

function makeGroup(hierarchy: Hierarchy, path: string): string {
  let directory = hierarchy.top;
  for (const name of path.split("/").filter(Boolean)) {
    if (hierarchy.version === 2) giveControllers(directory);
    const above = directory;
    directory += `/${name}`;
    try {
      Deno.mkdirSync(directory, { mode: 0o755 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    if (has(hierarchy, "cpuset")) inheritProcessors(above, directory);
  }
  return directory;
}

/** Gives a group's children what controllers it has; one with processes of its own cannot (EBUSY). */
function giveControllers(directory: string): void {
  const there = textOf(`${directory}/cgroup.controllers`)?.trim().split(/\s+/) ?? [];
  const given = textOf(`${directory}/cgroup.subtree_control`)?.trim().split(/\s+/) ?? [];
  for (const name of CONTROLLERS) {
    if (!there.includes(name) || given.includes(name)) continue;
    try {
      Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, `+${name}`);
    } catch {
      // A resource that needs it says so.
    }
  }
}

/** A cpuset of version 1 takes no process before it has processors and memory. */
function inheritProcessors(above: string, directory: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (textOf(`${directory}/${file}`)?.trim() !== "") continue;
    Deno.writeTextFileSync(`${directory}/${file}`, textOf(`${above}/${file}`)?.trim() ?? "");
  }
}

/** Returns the text of a file; `undefined` if it cannot be read. */
export function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

/** Returns the processes in the groups and those below, as this process sees them. */
export function pidsIn(groups: readonly string[]): readonly number[] {
  // Of several hierarchies any one has all processes, unless somebody has moved some.
  return [...new Set(groups.flatMap(pidsBelow))].sort((one, other) => one - other);
}

/** Removes the groups and those below. Returns `false` while one has processes. */
export function removeGroups(groups: readonly string[]): boolean {
  return groups.map(removeTree).every(Boolean);
}

function removeTree(directory: string): boolean {
  removeBelow(directory);
  try {
    Deno.removeSync(directory);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** A file that freezes the processes of a group, and what is written to it. */
export interface Freezer {
  readonly file: string;
  readonly frozen: string;
  readonly thawed: string;
}

const FREEZERS: Readonly<Record<Hierarchy["version"], Omit<Freezer, "file">>> = {
  1: { frozen: "FROZEN", thawed: "THAWED" },
  2: { frozen: "1", thawed: "0" },
};

const FREEZER_FILES = { 1: "freezer.state", 2: "cgroup.freeze" } as const;

function freezerOf(version: Hierarchy["version"], directory: string): Freezer {
  return { file: `${directory}/${FREEZER_FILES[version]}`, ...FREEZERS[version] };
}

/** Returns the freezers of the groups, without a look at them. */
export function freezersIn(groups: readonly GroupDirectory[]): readonly Freezer[] {
  return groups.filter(({ hierarchy }) => hierarchy.version === 2 || has(hierarchy, "freezer"))
    .map(({ hierarchy: { version }, path }) => freezerOf(version, path));
}

function freezersOf(groups: readonly string[]): readonly Freezer[] {
  return groups.flatMap((directory) =>
    ([1, 2] as const).map((version) => freezerOf(version, directory))
      .find(({ file }) => textOf(file) !== undefined) ?? []
  );
}

/** Freezes or thaws the processes of the groups. Returns `false` if no group can do that. */
export function freeze(groups: readonly string[], frozen: boolean): boolean {
  const freezers = freezersOf(groups);
  for (const { file, frozen: on, thawed: off } of freezers) {
    Deno.writeTextFileSync(file, frozen ? on : off);
  }
  return freezers.length > 0;
}

/** Whether the processes of the groups are frozen, or about to be. */
export function isFrozen(groups: readonly string[]): boolean {
  return freezersOf(groups).some(({ file, thawed }) => textOf(file)?.trim() !== thawed);
}
