/**
 * A group before it is made: where it will be, and what will make it.
 *
 * @module
 */

import type { Call } from "../call.ts";
import { at_fdcwd, mkdirat } from "../calls/files.ts";
import { UnsupportedError } from "../errors.ts";
import { readFile, writeCalls } from "./files.ts";
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
import { newName } from "./owner.ts";
import { type Act, findPlaces, type Place } from "./place.ts";

/** A folder of a group. */
export interface GroupFolder {
  readonly version: 1 | 2;
  readonly folder: string;
  readonly controllers: ReadonlySet<Controller>;
}

/** A group that can be made. */
export interface GroupDesign {
  readonly folders: readonly GroupFolder[];
  readonly limits: GroupLimits;
  /** What makes it, in this order. */
  readonly acts: readonly Act[];
}

/** A setting with the file that it is written to. */
export interface SettingAct extends Setting {
  readonly file: string;
  readonly text: string;
}

/**
 * Finds where a group with these limits can be, and what makes it. Nothing is done yet.
 *
 * @throws {UnsupportedError} where a limit cannot be set here, or no group be made
 */
export function designGroup(limits: GroupLimits): GroupDesign {
  const name = newName();
  const places = findPlaces(limits);
  const folders = places.map((place) => ({ ...place, folder: `${place.folder}/${name}` }));
  const acts = places.flatMap((place, index) => {
    const { folder } = folders[index]!;
    return [...place.before, { folder }, ...inherited(place, folder, limits)];
  });
  return { folders, limits, acts: [...acts, ...settingActs(folders, limitsIn(limits), limits)] };
}

/** A group of version 1 begins with no memory nodes and no processors, and takes nobody then. */
function inherited(place: Place, made: string, limits: GroupLimits): readonly Act[] {
  if (place.version === 2 || !place.controllers.has("cpuset")) return [];
  return ["cpuset.mems", ...(limits.cpuset === undefined ? ["cpuset.cpus"] : [])]
    .map((file) => ({ file: `${made}/${file}`, text: readFile(`${place.folder}/${file}`) ?? "" }));
}

/**
 * What sets some of the limits of a group.
 *
 * @throws {UnsupportedError} where one cannot be set
 */
export function settingActs(
  folders: readonly GroupFolder[],
  names: readonly (keyof GroupLimits)[],
  limits: GroupLimits,
): readonly SettingAct[] {
  return names.flatMap((limit) => {
    const controller = CONTROLLER_OF[limit];
    const place = folders.find(({ controllers }) => controllers.has(controller));
    if (place === undefined) {
      throw new UnsupportedError(
        `"${limit}" cannot be limited: the container's group was made without the controller ` +
          `"${controller}"; give the step limits() such a limit from the beginning`,
      );
    }
    const { folder, version } = place;
    if (limit === "cpuset") checkProcessors(folder, limits.cpuset!);
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
      file: `${folder}/${setting.file}`,
      text: setting.value,
    }));
  });
}

/** Processors that are not there are passed over by version 2, and a vague error of version 1. */
function checkProcessors(folder: string, cpuset: string): void {
  const above = folder.slice(0, folder.lastIndexOf("/"));
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
export function callsOf(act: Act): readonly Call[] {
  return "file" in act ? writeCalls(act.file, act.text) : [mkdirat(at_fdcwd, act.folder, 0o755)];
}
