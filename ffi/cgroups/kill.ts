/**
 * Killing the processes of a group.
 *
 * @module
 */

import { close } from "../calls/files.ts";
import { pidfd_open, pidfd_send_signal, SIGNALS } from "../calls/processes.ts";
import { syscalls } from "../syscalls.ts";
import type { GroupDirectory } from "./plan.ts";
import { directoriesIn, mayWrite, pidsIn, writeFile } from "./files.ts";

/** Kills all processes of a group, without waiting until they have ended. */
export function killGroup(directories: readonly GroupDirectory[]): void {
  const unified = directories.find(({ version }) => version === 2);
  if (unified !== undefined && mayWrite(`${unified.directory}/cgroup.kill`)) {
    writeFile(`${unified.directory}/cgroup.kill`, "1");
  }
  // Before Linux 5.14, and in version 1, they are killed one by one.
  for (const { directory } of directories) killEach(directory);
  for (const { directory } of directories) {
    // Frozen processes of version 1 die only when they are thawed.
    if (mayWrite(`${directory}/freezer.state`)) writeFile(`${directory}/freezer.state`, "THAWED");
  }
}

/** Opens a pidfd of each process, checks that it is in the group, and kills it: pids are reused. */
function killEach(directory: string): void {
  for (const name of directoriesIn(directory)) killEach(`${directory}/${name}`);
  const held = new Map<number, number>();
  for (const pid of pidsIn(directory)) {
    if (pid === 0) continue;
    const opened = pidfd_open(pid, 0);
    const pidfd = syscalls([{ call: opened, accept: ["ESRCH", "EINVAL"] }]).result(opened);
    if (pidfd >= 0n) held.set(pid, Number(pidfd));
  }
  const still = new Set(pidsIn(directory));
  for (const [pid, pidfd] of held) {
    const kill = pidfd_send_signal(pidfd, SIGNALS.SIGKILL);
    if (still.has(pid)) syscalls([{ call: kill, accept: ["ESRCH", "EPERM"] }]);
    syscalls([{ call: close(pidfd) }]);
  }
}
