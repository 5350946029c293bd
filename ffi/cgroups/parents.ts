/**
 * Where this process may create groups. See cgroups(7), and
 * [Control Group APIs and Delegation](https://systemd.io/CGROUP_DELEGATION).
 *
 * In version 2 a group has the controllers that its parent enables, and a parent other than the root
 * can enable them only while it has no processes itself. A script with a delegated group therefore
 * moves into a child group of its own there, and creates the other groups beside it.
 *
 * @module
 */

import { UnsupportedError } from "../errors.ts";
import { processDirectory } from "../proc/proc_dir.ts";
import { type Denial, denialIn } from "./denial.ts";
import { parentOf, pidsIn, readFile } from "./files.ts";
import { type Controller, controllersIn, hierarchies, type Hierarchy } from "./hierarchies.ts";
import { CONTROLLER_OF, type GroupLimits, limitsIn } from "./limits.ts";
import { isScriptsName, scriptsName } from "./naming.ts";

/** A directory in which groups can be created. */
export interface ParentCgroup {
  readonly version: 1 | 2;
  readonly directory: string;
  /** The controllers that the groups in it have. */
  readonly controllers: ReadonlySet<Controller>;
  /** The actions that come before a group is created. */
  readonly before: readonly CgroupAction[];
}

/** A change of a cgroup filesystem. */
export type CgroupAction =
  /** Creates a group. */
  | { readonly directory: string }
  /** Writes to a file. */
  | { readonly file: string; readonly text: string };

/** A directory in which no group can be created, and why. */
interface Blocker extends Denial {
  readonly version: 1 | 2;
  readonly directory: string;
}

/** The controllers that are used without a limit, for accounting. */
const USEFUL: readonly Controller[] = ["memory", "cpu", "cpuacct", "pids", "io"];

/**
 * Finds the directories in which groups with these limits can be created, one for each hierarchy.
 *
 * @throws {UnsupportedError} if a limit cannot be set, with its controller, the reason, and the fix
 */
export function findParents(limits: GroupLimits): readonly ParentCgroup[] {
  const found = hierarchies();
  const needed = new Set(limitsIn(limits).map((limit) => CONTROLLER_OF[limit]));
  const old = found.filter(({ version }) => version === 1);
  const unified = found.find(({ version }) => version === 2);
  const bound = new Set(old.flatMap(({ controllers }) => [...controllers]));
  const parents: ParentCgroup[] = [];
  const blockers = new Map<Controller | undefined, Blocker>();
  if (unified !== undefined) {
    const here = [...needed].filter((controller) => !bound.has(controller));
    const parent = parentIn2(unified, new Set(here));
    if ("why" in parent) { for (const name of [undefined, ...here]) blockers.set(name, parent); }
    else parents.push(parent);
  }
  const useful = new Set([...needed, ...USEFUL]);
  if (parents.length === 0) useful.add("freezer");
  for (const { own, controllers } of old) {
    const mine = [...controllers].filter((controller) => useful.has(controller));
    if (mine.length === 0) continue;
    const denial = denialIn(own);
    if (denial === undefined) {
      parents.push({ version: 1, directory: own, controllers, before: [] });
    } else {
      const denied: Blocker = { version: 1, directory: own, ...denial };
      for (const name of mine) blockers.set(name, denied);
      if (!blockers.has(undefined)) blockers.set(undefined, denied);
    }
  }
  for (const limit of limitsIn(limits)) {
    const controller = CONTROLLER_OF[limit];
    if (parents.some(({ controllers }) => controllers.has(controller))) continue;
    const blocker = blockers.get(controller);
    throw new UnsupportedError(
      blocker === undefined
        ? `"${limit}" cannot be limited: there is no controller "${controller}" here: this kernel ` +
          "has none, or no hierarchy with it is visible (see /proc/cgroups, /proc/self/mountinfo)"
        : `"${limit}" cannot be limited by the controller "${controller}": ${reason(blocker)}`,
    );
  }
  if (parents.length > 0) return parents;
  const blocker = blockers.get(undefined);
  throw new UnsupportedError(
    blocker === undefined
      ? "a container cannot have a control group: no hierarchy of them is mounted here (cgroups(7))"
      : `a container cannot have a control group: ${reason(blocker)}`,
  );
}

function reason({ version, directory, why, fix = FIXES[version] }: Blocker): string {
  return `in cgroup v${version}, ${directory} ${why}; ${fix}`;
}

const FIXES = {
  1: "root has to create a group there and give it to the user (chown)",
  2: "run the script in a delegated group: `systemd-run --user --scope -p Delegate=yes deno run " +
    "--allow-ffi ...`",
} as const;

/** The nearest directory, from the own group upwards, that has the controllers or can enable them. */
function parentIn2(
  { own, top }: Hierarchy,
  needed: ReadonlySet<Controller>,
): ParentCgroup | Blocker {
  let blocker: Blocker | undefined;
  const from = isScriptsName(nameOf(own)) ? parentOf(own) : own;
  for (const directory of upwards(from, top)) {
    const parent = parentAt2(directory, needed, directory === own);
    if (!("why" in parent)) return parent;
    blocker ??= parent;
  }
  return blocker!;
}

function parentAt2(
  directory: string,
  needed: ReadonlySet<Controller>,
  isOwnGroup: boolean,
): ParentCgroup | Blocker {
  // Moving a process takes the right to write cgroup.procs of the common ancestor.
  const denial = denialIn(directory) ?? denialIn(`${directory}/cgroup.procs`);
  if (denial !== undefined) return { version: 2, directory, ...denial };
  const controllers = (file: string) => controllersIn(readFile(`${directory}/${file}`) ?? "");
  const there = controllers("cgroup.controllers");
  const enabled = controllers("cgroup.subtree_control");
  const absent = [...needed].filter((name) => !there.has(name));
  if (absent.length > 0) {
    return { version: 2, directory, why: `has not been given "${absent.join('", "')}"` };
  }
  const missing = [...needed].filter((name) => !enabled.has(name));
  const parent = (
    enabling: readonly Controller[],
    before: readonly CgroupAction[] = [],
  ): ParentCgroup => ({
    version: 2,
    directory,
    controllers: new Set([...enabled, ...enabling]),
    before: enabling.length === 0 ? before : [...before, {
      file: `${directory}/cgroup.subtree_control`,
      text: enabling.map((name) => `+${name}`).join(" "),
    }],
  });
  if (missing.length === 0) return parent([]);
  // The root has no cgroup.type, and may have processes beside groups.
  const pids = readFile(`${directory}/cgroup.type`) === undefined ? [] : pidsIn(directory);
  if (pids.length === 0) return parent(missing);
  if (!isOwnGroup || !pids.every(isOurs)) {
    const why = `has other processes (${pids.join(", ")}), which have to move into a child group ` +
      "before it can enable controllers";
    return { version: 2, directory, why };
  }
  const scripts = `${directory}/${scriptsName()}`;
  const enabling = USEFUL.filter((name) => there.has(name) && !enabled.has(name));
  return parent([...new Set([...missing, ...enabling])], [
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
