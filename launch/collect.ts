/**
 * Collects the output and the status of a program, while the script's thread blocks.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { pidfd_send_signal, POLLIN, ppoll, SIGNALS } from "../ffi/calls/processes.ts";
import { syscall } from "../ffi/syscalls.ts";
import { Slot, Struct } from "../ffi/call.ts";
import { Routine } from "../ffi/routine.ts";
import { readSome } from "../ffi/engine/transfer.ts";
import { type CommandOutput, commandOutput } from "./output.ts";
import type { LaunchedProcess } from "./launched_process.ts";
import { type CommandStatus, reapStatus } from "./status.ts";
import { concat } from "../ffi/concat.ts";
import { endServices } from "./running_service.ts";

/** Collects the program's output and waits for its end; kills it after the timeout. */
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
  const waitForAny = () => {
    const [first = -1, second = -1] = open;
    const left = timedOut || end === Infinity ? FOREVER : Math.max(0, end - performance.now());
    const seconds = Math.floor(left / 1000);
    const exit = status === undefined ? pidfd : -1;
    WAITING.run(first, second, exit, seconds, Math.round((left - seconds * 1000) * 1e6));
  };
  let timedOut = false;
  let status: CommandStatus | undefined;
  while (status === undefined || (open.size > 0 && !timedOut)) {
    // If only the end of the program is left to wait for, waitid(2) waits.
    const waitsForEnd = open.size === 0 && (timedOut || end === Infinity);
    if (!waitsForEnd) waitForAny();
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
    // This kills the remaining processes of the group, which may hold the streams open.
    if (status !== undefined && cgroup !== undefined) status = { ...status, ...cgroup.endSync() };
  }
  const [, stdout, stderr] = descriptors.map((fd) =>
    fd === undefined ? undefined : concat(collected.get(fd)!)
  );
  return conclude(launched, descriptors, { ...status, timedOut }, stdout, stderr);
}

/** Closes the descriptors and services of a program that has ended, and returns its output. */
export function conclude(
  { pidfd, services }: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
  status: CommandStatus,
  stdout: Uint8Array<ArrayBuffer> | undefined,
  stderr: Uint8Array<ArrayBuffer> | undefined,
): CommandOutput {
  CLOSING.run(pidfd);
  for (const fd of descriptors) if (fd !== undefined) CLOSING.run(fd);
  endServices(services);
  return commandOutput(status, stdout, stderr);
}

/** Kills a container and waits for its end. */
export function endSync(launched: LaunchedProcess): void {
  syscall(pidfd_send_signal(launched.pidfd, SIGNALS.SIGKILL));
  collectSync(launched, [], undefined);
}

/** The timeout of ppoll(2) for a program without one, in milliseconds. */
const FOREVER = 1e12;

const FIRST = new Slot("stdout", 4), SECOND = new Slot("stderr", 4), EXIT = new Slot("pidfd", 4);
const SECONDS = new Slot("seconds"), NANOSECONDS = new Slot("nanoseconds");
const TIMEOUT = new Struct(new Uint8Array(16), "&timeout", [], [
  { offset: 0, slot: SECONDS },
  { offset: 8, slot: NANOSECONDS },
]);

/** Waits for output of the program or for its end. */
const WAITING = new Routine([FIRST, SECOND, EXIT, SECONDS, NANOSECONDS], [{
  call: ppoll([FIRST, SECOND, EXIT].map((fd) => ({ fd, events: POLLIN })), TIMEOUT),
  accept: ["EINTR"],
}]);

const FD = new Slot("fd");
const CLOSING = new Routine([FD], [{ call: close(FD) }]);
