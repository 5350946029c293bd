/**
 * Killing whoever is in a group.
 *
 * @module
 */

import { close } from "../calls/files.ts";
import { pidfd_open, pidfd_send_signal, SIGNALS } from "../calls/processes.ts";
import { performAll } from "../perform.ts";
import type { GroupFolder } from "./design.ts";
import { foldersIn, mayWrite, pidsIn, writeFile } from "./files.ts";

/** Kills all processes of a group; they may take a moment to be gone. */
export function killGroup(folders: readonly GroupFolder[]): void {
  const unified = folders.find(({ version }) => version === 2);
  if (unified !== undefined && mayWrite(`${unified.folder}/cgroup.kill`)) {
    writeFile(`${unified.folder}/cgroup.kill`, "1");
  }
  // Before Linux 5.14, and in version 1, one by one.
  for (const { folder } of folders) killEach(folder);
  for (const { folder } of folders) {
    // The frozen of version 1 die once they go on.
    if (mayWrite(`${folder}/freezer.state`)) writeFile(`${folder}/freezer.state`, "THAWED");
  }
}

/** A pid may be another process's by the time that it is killed, so each is held and looked at. */
function killEach(folder: string): void {
  for (const name of foldersIn(folder)) killEach(`${folder}/${name}`);
  const held = new Map<number, number>();
  for (const pid of pidsIn(folder)) {
    if (pid === 0) continue;
    const opened = pidfd_open(pid, 0);
    const pidfd = performAll([{ call: opened, accept: ["ESRCH", "EINVAL"] }]).result(opened);
    if (pidfd >= 0n) held.set(pid, Number(pidfd));
  }
  const still = new Set(pidsIn(folder));
  for (const [pid, pidfd] of held) {
    const kill = pidfd_send_signal(pidfd, SIGNALS.SIGKILL);
    if (still.has(pid)) performAll([{ call: kill, accept: ["ESRCH", "EPERM"] }]);
    performAll([{ call: close(pidfd) }]);
  }
}
