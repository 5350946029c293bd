/**
 * The group that a script has made for another process: how one that did not make it gets at it.
 *
 * @module
 */

import { at_fdcwd } from "../calls/files.ts";
import { readWholeText } from "../files/read_file.ts";
import { readFile } from "./files.ts";
import { Group } from "./group.ts";
import { controllersIn, parseHierarchies } from "./hierarchies.ts";
import { groupIn } from "./naming.ts";
import type { GroupDirectory } from "./plan.ts";

/**
 * The group of a process; `undefined` if no script has made one for it, or it lies outside of what
 * is seen from here. A group that others have made is none: it may have other processes.
 *
 * @throws {SyscallError} `ENOENT`, `ESRCH` if there is no such process
 */
export function groupOf(pid: number): Group | undefined {
  const groups = readWholeText(at_fdcwd, `/proc/${pid}/cgroup`);
  const hierarchies = parseHierarchies(groups, readWholeText(at_fdcwd, "/proc/self/mountinfo"));
  const directories = hierarchies.flatMap(({ version, controllers, own }): GroupDirectory[] => {
    const directory = groupIn(own);
    if (directory === undefined) return [];
    const listed = version === 2 &&
      controllersIn(readFile(`${directory}/cgroup.controllers`) ?? "");
    return [{ version, directory, controllers: listed || controllers }];
  });
  return directories.length === 0 ? undefined : new Group(directories, {});
}
