/**
 * The control group of a detached container, which a killed supervisor leaves behind.
 *
 * @module
 */

import { parentOf, readFile } from "../ffi/cgroups/files.ts";
import { groupOf } from "../ffi/cgroups/found.ts";
import { killGroup } from "../ffi/cgroups/kill.ts";
import { groupIn, sweep } from "../ffi/cgroups/naming.ts";

/** A directory of a control group, in a hierarchy of that version of cgroups. */
export interface CgroupDirectory {
  readonly version: 1 | 2;
  readonly directory: string;
}

/** The directories of the group that a script has made for a process. */
export function groupsOf(pid: number): readonly CgroupDirectory[] {
  const directories = groupOf(pid)?.directories ?? [];
  return directories.map(({ version, directory }) => ({ version, directory }));
}

/** The pauses after which it is looked whether a group can be removed, in milliseconds. */
const PAUSES = [1, 10, ...new Array<number>(50).fill(100)];

/**
 * Kills what is left in a group whose script has ended, and removes it. A group of version 1 stays
 * until the init of the machine has waited for its processes.
 */
export async function endGroups(groups: readonly CgroupDirectory[]): Promise<void> {
  // A record could name any directory.
  const own = groups.filter(({ directory }) => groupIn(directory) === directory);
  for (const pause of PAUSES) {
    const left = own.filter(({ directory }) => isThere(directory));
    if (left.length === 0) return;
    killGroup(left.map((group) => ({ ...group, controllers: new Set() })));
    for (const { directory } of left) sweep(parentOf(directory));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function isThere(directory: string): boolean {
  return readFile(`${directory}/cgroup.procs`) !== undefined;
}
