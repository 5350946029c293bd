/**
 * A group before it is made: where it will be, and what will make it.
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
import { type CgroupAction, findPlaces, type Place } from "./place.ts";

/** A directory of a group. */
export interface GroupDirectory {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly controllers: ReadonlySet<Controller>;
}

/** A group that can be made. */
export interface CgroupPlan {
  readonly directories: readonly GroupDirectory[];
  readonly limits: GroupLimits;
  /** What makes it, in this order. */
  readonly acts: readonly CgroupAction[];
}

/** A setting with the file that it is written to. */
export interface SettingAction extends Setting {
  readonly file: string;
  readonly text: string;
}

/**
 * Finds where a group with these limits can be, and what makes it. Nothing is done yet.
 *
 * @throws {UnsupportedError} where a limit cannot be set here, or no group be made
 */
export function planCgroup(limits: GroupLimits): CgroupPlan {
  const name = newName();
  const places = findPlaces(limits);
  const directories = places.map((place) => ({
    ...place,
    directory: `${place.directory}/${name}`,
  }));
  const acts = places.flatMap((place, index) => {
    const { directory } = directories[index]!;
    return [...place.before, { directory }, ...inherited(place, directory, limits)];
  });
  return {
    directories,
    limits,
    acts: [...acts, ...settingActions(directories, limitsIn(limits), limits)],
  };
}

/** A group of version 1 begins with no memory nodes and no processors, and takes nobody then. */
function inherited(place: Place, made: string, limits: GroupLimits): readonly CgroupAction[] {
  if (place.version === 2 || !place.controllers.has("cpuset")) return [];
  return ["cpuset.mems", ...(limits.cpuset === undefined ? ["cpuset.cpus"] : [])]
    .map((file) => ({
      file: `${made}/${file}`,
      text: readFile(`${place.directory}/${file}`) ?? "",
    }));
}

/**
 * What sets some of the limits of a group.
 *
 * @throws {UnsupportedError} where one cannot be set
 */
export function settingActions(
  directories: readonly GroupDirectory[],
  names: readonly (keyof GroupLimits)[],
  limits: GroupLimits,
): readonly SettingAction[] {
  return names.flatMap((limit) => {
    const controller = CONTROLLER_OF[limit];
    const place = directories.find(({ controllers }) => controllers.has(controller));
    if (place === undefined) {
      throw new UnsupportedError(
        `"${limit}" cannot be limited: the container's group was made without the controller ` +
          `"${controller}"; give the step limits() such a limit from the beginning`,
      );
    }
    const { directory, version } = place;
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

/** Processors that are not there are passed over by version 2, and a vague error of version 1. */
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

/** The calls of an act, in their order. */
export function callsOf(act: CgroupAction): readonly Call[] {
  return "file" in act
    ? writeText(at_fdcwd, act.file, act.text)
    : [mkdirat(at_fdcwd, act.directory, 0o755)];
}
