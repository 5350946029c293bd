/**
 * The names of groups. A name identifies the script that created the group, so that another script
 * can remove what a killed one left behind; from other pid namespaces, a lock does (locks.ts).
 *
 * @module
 */

import { at_fdcwd, AT_REMOVEDIR, unlinkat } from "../calls/files.ts";
import { perEngine } from "../engine/per_engine.ts";
import { startOf } from "../proc/process_identity.ts";
import { namespaces } from "../proc/process_namespaces.ts";
import { syscalls } from "../syscalls.ts";
import { readWholeText } from "../files/read_file.ts";
import { directoriesIn, mayWrite, readFile, writeFile } from "./files.ts";
import { Locks } from "./locks.ts";

/** Names are `ramekin-PIDNS-PID-STARTED-REST`: a pid is unique only within its namespace. */
const NAME = /^ramekin-(\d+)-(\d+)-(\d+)-(\w+)$/;

/** Names of boxes' groups, and of the one into which boxes move that have to leave their own. */
const BOX_NAME = /^ramekin-(?:box-\d{10}|launcher)$/;

/** The last part of the name of the group into which a script moves itself. */
const SCRIPTS_OWN = "script";

/** Returns a new name for a group of this script. */
export function newName(): string {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return `${namePrefix()}-${random!.toString(36)}`;
}

/** The name of the group into which this script moves if it has to leave its own. */
export function scriptsName(): string {
  return `${namePrefix()}-${SCRIPTS_OWN}`;
}

/** Whether a script moved into the group of this name, to create other groups beside it. */
export function isScriptsName(name: string): boolean {
  return NAME.exec(name)?.[4] === SCRIPTS_OWN;
}

/** The directory of the group that a script or a box has made for a container, of which this is a path. */
export function groupIn(path: string): string | undefined {
  const names = path.split("/");
  const at = names.findLastIndex((name) =>
    NAME.test(name) && !isScriptsName(name) || /^ramekin-box-/.test(name)
  );
  return at === -1 ? undefined : names.slice(0, at + 1).join("/");
}

const namePrefix = perEngine(() => {
  // The pid is read from /proc, as a /proc of another pid namespace may show another one.
  const stat = readWholeText(at_fdcwd, "/proc/self/stat");
  return `ramekin-${namespaces().pid}-${parseInt(stat)}-${startOf(stat)}`;
});

/**
 * Removes the groups in a directory whose script or box has ended and that have no processes. A script
 * of this pid namespace has ended when no process has its pid and start time. Of others, and of boxes,
 * only the lock of their groups is seen from here, which a group has a moment after it is made: while
 * somebody makes one, theirs stay.
 */
export function sweep(directory: string): void {
  using alone = Locks.ofSweeping(directory);
  const own = NAME.exec(scriptsName())![1];
  for (const name of directoriesIn(directory)) {
    const [, pidNamespace, pid, started] = NAME.exec(name) ?? [];
    if (pid === undefined && !BOX_NAME.test(name)) continue;
    if (
      pid !== undefined && pidNamespace === own ? isRunning(pid, started!) : alone === undefined
    ) continue;
    const group = `${directory}/${name}`;
    using left = Locks.ofLeft(group);
    if (left === undefined) continue;
    // No script is left to thaw it, and frozen processes of version 1 cannot even be killed.
    const state = `${group}/freezer.state`;
    if (mayWrite(state)) writeFile(state, "THAWED");
    removeTree(group);
  }
}

function isRunning(pid: string, started: string): boolean {
  const stat = readFile(`/proc/${pid}/stat`);
  return stat !== undefined && startOf(stat) === Number(started);
}

/** Removes a group and those below it. Returns `false` if processes are left. */
export function removeTree(directory: string): boolean {
  const remove = unlinkat(at_fdcwd, directory, AT_REMOVEDIR);
  const failed = () => {
    const accept = ["EBUSY", "ENOENT", "ENOTEMPTY", "EACCES", "EPERM"] as const;
    const result = syscalls([{ call: remove, accept }]).result(remove);
    return result !== 0n && result !== NOT_THERE;
  };
  if (!failed()) return true;
  for (const name of directoriesIn(directory)) removeTree(`${directory}/${name}`);
  return !failed();
}

/** -ENOENT: another process removed it first. */
const NOT_THERE = -2n;
