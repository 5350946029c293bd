/**
 * Where this process may make groups. See cgroups(7), and
 * [Control Group APIs and Delegation](https://systemd.io/CGROUP_DELEGATION).
 *
 * In version 2 the groups of a directory have the controllers that the directory enables for them, which
 * it can only while no process is in it itself (the root apart). A script that a directory is delegated
 * to therefore moves to a group of its own there, and makes the others beside it.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { processDirectory } from "../proc/proc_dir.ts";
import { mayWrite, parentOf, pidsIn, readFile } from "./files.ts";
import { type Controller, controllersIn, hierarchies, type Hierarchy } from "./hierarchies.ts";
import { CONTROLLER_OF, type GroupLimits, limitsIn } from "./limits.ts";
import { isScriptsName, scriptsName } from "./naming.ts";

/** A directory in which groups can be made. */
export interface Place {
  readonly version: 1 | 2;
  readonly directory: string;
  /** The controllers that groups here have. */
  readonly controllers: ReadonlySet<Controller>;
  /** What has to be done before. */
  readonly before: readonly CgroupAction[];
}

/** Something done to the files of groups. */
export type CgroupAction =
  /** Makes a group. */
  | { readonly directory: string }
  /** Writes to a file. */
  | { readonly file: string; readonly text: string };

/** A directory of no use, and why. */
interface Obstacle {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly why: string;
}

/** What is worth a group although nobody has set a limit: it counts, or it freezes. */
const USEFUL: readonly Controller[] = ["memory", "cpu", "cpuacct", "pids", "io"];

/**
 * The places where groups with these limits can be made, one a hierarchy.
 *
 * @throws {UnsupportedError} where a limit cannot be set, with its controller, why, and the mend
 */
export function findPlaces(limits: GroupLimits): readonly Place[] {
  const found = hierarchies();
  const needed = new Set(limitsIn(limits).map((limit) => CONTROLLER_OF[limit]));
  const old = found.filter(({ version }) => version === 1);
  const unified = found.find(({ version }) => version === 2);
  const bound = new Set(old.flatMap(({ controllers }) => [...controllers]));
  const places: Place[] = [];
  const obstacles = new Map<Controller | undefined, Obstacle>();
  if (unified !== undefined) {
    const here = [...needed].filter((controller) => !bound.has(controller));
    const place = placeIn2(unified, new Set(here));
    if ("why" in place) { for (const name of [undefined, ...here]) obstacles.set(name, place); }
    else places.push(place);
  }
  const useful = new Set([...needed, ...USEFUL]);
  if (places.length === 0) useful.add("freezer");
  for (const { own, controllers } of old) {
    const mine = [...controllers].filter((controller) => useful.has(controller));
    if (mine.length === 0) continue;
    if (mayWrite(own)) places.push({ version: 1, directory: own, controllers, before: [] });
    else {
      const denied: Obstacle = { version: 1, directory: own, why: DENIED };
      for (const name of mine) obstacles.set(name, denied);
      if (!obstacles.has(undefined)) obstacles.set(undefined, denied);
    }
  }
  for (const limit of limitsIn(limits)) {
    const controller = CONTROLLER_OF[limit];
    if (places.some(({ controllers }) => controllers.has(controller))) continue;
    const obstacle = obstacles.get(controller);
    throw new UnsupportedError(
      obstacle === undefined
        ? `"${limit}" cannot be limited: there is no controller "${controller}" here: this kernel ` +
          "has none, or no hierarchy with it is in sight (see /proc/cgroups, /proc/self/mountinfo)"
        : `"${limit}" cannot be limited by the controller "${controller}": ${words(obstacle)}`,
    );
  }
  if (places.length > 0) return places;
  const obstacle = obstacles.get(undefined);
  throw new UnsupportedError(
    obstacle === undefined
      ? "a container cannot have a control group: no hierarchy of them is mounted here (cgroups(7))"
      : `a container cannot have a control group: ${words(obstacle)}`,
  );
}

const DENIED = "belongs to another user, or can only be read";

function words({ version, directory, why }: Obstacle): string {
  const mend = version === 2
    ? "a script gets a group of its own by `systemd-run --user --scope -p Delegate=yes deno run " +
      "--allow-ffi ...`"
    : "version 1 leaves them to root, who can make a group there and give it to a user (chown)";
  return `in cgroup v${version}, ${directory} ${why}; ${mend}`;
}

/** The nearest directory from the own group upwards whose groups have what is needed, or could. */
function placeIn2({ own, top }: Hierarchy, needed: ReadonlySet<Controller>): Place | Obstacle {
  let obstacle: Obstacle | undefined;
  const from = isScriptsName(nameOf(own)) ? parentOf(own) : own;
  for (const directory of upwards(from, top)) {
    const place = placeAt2(directory, needed, directory === own);
    if (!("why" in place)) return place;
    obstacle ??= place;
  }
  return obstacle!;
}

function placeAt2(
  directory: string,
  needed: ReadonlySet<Controller>,
  isContainerMount: boolean,
): Place | Obstacle {
  // To move from a group to another takes the right to do so in the one that holds both.
  if (!mayWrite(directory) || !mayWrite(`${directory}/cgroup.procs`)) {
    return { version: 2, directory, why: DENIED };
  }
  const controllers = (file: string) => controllersIn(readFile(`${directory}/${file}`) ?? "");
  const there = controllers("cgroup.controllers");
  const enabled = controllers("cgroup.subtree_control");
  const absent = [...needed].filter((name) => !there.has(name));
  if (absent.length > 0) {
    return { version: 2, directory, why: `has not been given "${absent.join('", "')}"` };
  }
  const missing = [...needed].filter((name) => !enabled.has(name));
  const place = (enabling: readonly Controller[], before: readonly CgroupAction[] = []): Place => ({
    version: 2,
    directory,
    controllers: new Set([...enabled, ...enabling]),
    before: enabling.length === 0 ? before : [...before, {
      file: `${directory}/cgroup.subtree_control`,
      text: enabling.map((name) => `+${name}`).join(" "),
    }],
  });
  if (missing.length === 0) return place([]);
  // The root has no type, and may have processes beside groups.
  const pids = readFile(`${directory}/cgroup.type`) === undefined ? [] : pidsIn(directory);
  if (pids.length === 0) return place(missing);
  if (!isContainerMount || !pids.every(isOurs)) {
    const why = `has other processes in it (${pids.join(", ")}), which have to move to a group ` +
      "within it before there can be others";
    return { version: 2, directory, why };
  }
  const scripts = `${directory}/${scriptsName()}`;
  const enabling = USEFUL.filter((name) => there.has(name) && !enabled.has(name));
  return place([...new Set([...missing, ...enabling])], [
    { directory: scripts },
    ...pids.map((pid) => ({ file: `${scripts}/cgroup.procs`, text: String(pid) })),
  ]);
}

/** Whether the process is this script, or descends from it. */
function isOurs(pid: number): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0;) {
    if (at === Deno.pid) return true;
    const status: string = readFile(`${processDirectory(at)}/status`) ?? "";
    const parent: string | undefined = /^PPid:\s*(\d+)/m.exec(status)?.[1];
    at = parent === undefined ? undefined : Number(parent);
  }
  return false;
}

function upwards(directory: string, top: string): readonly string[] {
  const directories = [directory];
  while (directory !== top && directory.startsWith(`${top}/`)) {
    directories.push(directory = parentOf(directory));
  }
  return directories;
}

function nameOf(directory: string): string {
  return directory.slice(directory.lastIndexOf("/") + 1);
}
