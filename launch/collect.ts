/**
 * The end of a program, and what it writes until then, while the script's thread waits.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { pidfd_send_signal, POLLIN, ppoll, SIGNALS } from "../ffi/calls/processes.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { readSome } from "../ffi/engine/transfer.ts";
import { type CommandOutput, commandOutput } from "./output.ts";
import type { LaunchedProcess } from "./launched_process.ts";
import { endServices } from "./sync.ts";
import { type CommandStatus, reapStatus } from "./status.ts";
import { concat } from "../ffi/fd_stream.ts";

/** Collects what the program writes, waits for its end, and kills it when its time is over. */
export function collectSync(
  launched: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
  timeout: number | undefined,
): CommandOutput {
  const { pidfd, cgroup } = launched;
  const end = timeout === undefined ? Infinity : performance.now() + timeout;
  const collected = new Map<number, Uint8Array<ArrayBuffer>[]>();
  for (const fd of descriptors) if (fd !== undefined) collected.set(fd, []);
  const open = new Set(collected.keys());
  let timedOut = false;
  let status: CommandStatus | undefined;
  while (status === undefined || (open.size > 0 && !timedOut)) {
    // Where the end is all that there is to wait for, waitid(2) waits itself.
    const waitsForEnd = open.size === 0 && (timedOut || end === Infinity);
    if (!waitsForEnd) {
      waitForAny(status === undefined ? [...open, pidfd] : [...open], timedOut ? Infinity : end);
    }
    if (!timedOut && performance.now() >= end) {
      timedOut = true;
      if (status === undefined) syscall(pidfd_send_signal(pidfd, SIGNALS.SIGKILL));
    }
    for (const fd of open) {
      const bytes = readSome(fd);
      if (bytes?.length === 0) open.delete(fd);
      else if (bytes !== undefined) collected.get(fd)!.push(bytes);
    }
    if (status !== undefined) continue;
    status = reapStatus(pidfd, waitsForEnd);
    // What the program has left running is killed by this, and closes the streams that it holds.
    if (status !== undefined && cgroup !== undefined) status = { ...status, ...cgroup.endSync() };
  }
  const [, stdout, stderr] = descriptors.map((fd) =>
    fd === undefined ? undefined : concat(collected.get(fd)!)
  );
  return conclude(launched, descriptors, { ...status, timedOut }, stdout, stderr);
}

/** Closes what is left of a program that has ended, and returns its output. */
export function conclude(
  { pidfd, services }: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
  status: CommandStatus,
  stdout: Uint8Array<ArrayBuffer> | undefined,
  stderr: Uint8Array<ArrayBuffer> | undefined,
): CommandOutput {
  syscalls(
    [pidfd, ...descriptors].flatMap((fd) => fd === undefined ? [] : [{ call: close(fd) }]),
  );
  endServices(services);
  return commandOutput(status, stdout, stderr);
}

/** Kills a container and waits for its end. */
export function endSync(launched: LaunchedProcess): void {
  syscall(pidfd_send_signal(launched.pidfd, SIGNALS.SIGKILL));
  collectSync(launched, [], undefined);
}

function waitForAny(fds: readonly number[], end: number): void {
  const left = end === Infinity ? undefined : Math.max(0, end - performance.now());
  const call = ppoll(fds.map((fd) => ({ fd, events: POLLIN })), left);
  syscalls([{ call, accept: ["EINTR"] }]);
}
