/**
 * A group before it exists: its directories, and the actions that create it.
 *
 * @module
 */

import type { Call } from "../call.ts";
import { at_fdcwd, mkdirat } from "../calls/files.ts";
import { writeText } from "../calls/write_text.ts";
import { UnsupportedError } from "../errors.ts";
import { parentOf, readFile } from "./files.ts";
import type { Controller } from "./hierarchies.ts";
import {
  CONTROLLER_OF,
  type GroupLimits,
  limitsIn,
  parseList,
  type Setting,
  settingsOf1,
  settingsOf2,
} from "./limits.ts";
import { newName } from "./naming.ts";
import { type CgroupAction, findParents, type ParentCgroup } from "./parents.ts";

/** A directory of a group. */
export interface GroupDirectory {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly controllers: ReadonlySet<Controller>;
}

/** A group that can be created. */
export interface CgroupPlan {
  readonly directories: readonly GroupDirectory[];
  readonly limits: GroupLimits;
  /** The actions that create it, in this order. */
  readonly actions: readonly CgroupAction[];
}

/** A setting with the file that it is written to. */
export interface SettingAction extends Setting {
  readonly file: string;
  readonly text: string;
}

/**
 * Plans a group with these limits. Nothing is created yet.
 *
 * @throws {UnsupportedError} if a limit cannot be set here, or no group can be created
 */
export function planCgroup(limits: GroupLimits): CgroupPlan {
  const name = newName();
  const parents = findParents(limits);
  const directories = parents.map((parent) => ({
    ...parent,
    directory: `${parent.directory}/${name}`,
  }));
  const actions = parents.flatMap((parent, index) => {
    const { directory } = directories[index]!;
    return [...parent.before, { directory }, ...inherited(parent, directory, limits)];
  });
  return {
    directories,
    limits,
    actions: [...actions, ...settingActions(directories, limitsIn(limits), limits)],
  };
}

/** A group of version 1 starts without memory nodes and processors, and takes no process then. */
function inherited(
  parent: ParentCgroup,
  made: string,
  limits: GroupLimits,
): readonly CgroupAction[] {
  if (parent.version === 2 || !parent.controllers.has("cpuset")) return [];
  return ["cpuset.mems", ...(limits.cpuset === undefined ? ["cpuset.cpus"] : [])]
    .map((file) => ({
      file: `${made}/${file}`,
      text: readFile(`${parent.directory}/${file}`) ?? "",
    }));
}

/**
 * The actions that set some of the limits of a group.
 *
 * @throws {UnsupportedError} if one cannot be set
 */
export function settingActions(
  directories: readonly GroupDirectory[],
  names: readonly (keyof GroupLimits)[],
  limits: GroupLimits,
): readonly SettingAction[] {
  return names.flatMap((limit) => {
    const controller = CONTROLLER_OF[limit];
    const found = directories.find(({ controllers }) => controllers.has(controller));
    if (found === undefined) {
      throw new UnsupportedError(
        `"${limit}" cannot be limited: the container's group was made without the controller ` +
          `"${controller}"; set this limit in the step limits() too`,
      );
    }
    const { directory, version } = found;
    if (limit === "cpuset") checkProcessors(directory, limits.cpuset!);
    const settings = version === 2 ? settingsOf2(limit, limits) : settingsOf1(limit, limits);
    if (settings === undefined) {
      throw new UnsupportedError(
        `"${limit}" cannot be limited: the controller "${controller}" is bound to cgroup v1 ` +
          "here, " + (limit === "swap"
            ? 'which only limits the sum of memory and swap; give "memory" too'
            : "which has no such limit; boot with systemd.unified_cgroup_hierarchy=1"),
      );
    }
    return settings.map((setting) => ({
      ...setting,
      file: `${directory}/${setting.file}`,
      text: setting.value,
    }));
  });
}

/** Refuses missing processors: version 2 ignores them, and version 1 fails with a vague EINVAL. */
function checkProcessors(directory: string, cpuset: string): void {
  const above = parentOf(directory);
  const text = readFile(`${above}/cpuset.cpus.effective`) ??
    readFile(`${above}/cpuset.effective_cpus`);
  if (text === undefined) return;
  const there = parseList(text);
  const absent = [...parseList(cpuset)].filter((processor) => !there.has(processor));
  if (absent.length === 0) return;
  throw new UnsupportedError(
    `"cpuset" cannot be "${cpuset}": there is no processor ${absent.join(", ")}, only ${text}`,
  );
}

/** The calls of an action. */
export function callsOf(action: CgroupAction): readonly Call[] {
  return "file" in action
    ? writeText(at_fdcwd, action.file, action.text)
    : [mkdirat(at_fdcwd, action.directory, 0o755)];
}
