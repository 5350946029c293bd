/**
 * Whose a group is. Its name tells the script that has made it, so that another script can remove
 * what one has left that was killed.
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

/** Names are `ramekin-PIDNS-PID-STARTED-REST`: a pid says little without its namespace. */
const NAME = /^ramekin-(\d+)-(\d+)-(\d+)-(\w+)$/;

/** The last part of the name of the group that a script itself has moved to. */
const SCRIPTS_OWN = "script";

/** A new name, for a group of this script. */
export function newName(): string {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return `${owner()}-${random!.toString(36)}`;
}

/** The name of the group that this script moves to where it has to leave its own. */
export function scriptsName(): string {
  return `${owner()}-${SCRIPTS_OWN}`;
}

/** Whether a script has moved to the group of this name to make room for others beside it. */
export function isScriptsName(name: string): boolean {
  return NAME.exec(name)?.[4] === SCRIPTS_OWN;
}

const owner = perEngine(() => {
  // A /proc of another pid namespace has this process too, but under another number.
  const stat = readWholeText(at_fdcwd, "/proc/self/stat");
  return `ramekin-${namespaces().pid}-${parseInt(stat)}-${startOf(stat)}`;
});

/**
 * Removes the groups in a directory whose script has ended and that nobody is in. Groups of another
 * pid namespace stay, as nothing can be known here of its processes.
 */
export function sweep(directory: string): void {
  const own = NAME.exec(scriptsName())![1];
  for (const name of directoriesIn(directory)) {
    const [, pidNamespace, pid, started] = NAME.exec(name) ?? [];
    if (pid === undefined || pidNamespace !== own) continue;
    const stat = readFile(`/proc/${pid}/stat`);
    if (stat !== undefined && startOf(stat) === Number(started)) continue;
    const group = `${directory}/${name}`;
    // Nobody is left who could resume it; and of version 1, the frozen cannot even be killed.
    const state = `${group}/freezer.state`;
    if (mayWrite(state)) writeFile(state, "THAWED");
    removeTree(group);
  }
}

/** Removes a group and those in it; answers whether nothing is left, as nobody was in them. */
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

/** -ENOENT: somebody else was faster. */
const NOT_THERE = -2n;
