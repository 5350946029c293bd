/**
 * Collects the output and the status of a program, while the script's thread blocks.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { pidfd_send_signal, POLLIN, ppoll, SIGNALS } from "../ffi/calls/processes.ts";
import { syscall } from "../ffi/syscalls.ts";
import { Slot, Struct } from "../ffi/call.ts";
import type { ProgramRecord } from "../ffi/engine/program.ts";
import { Routine } from "../ffi/routine.ts";
import { readSome } from "../ffi/engine/transfer.ts";
import { askToEnd } from "./ask_to_end.ts";
import { type CommandOutput, commandOutput, OutputCollector } from "./output.ts";
import { HeldEnd } from "./held_end.ts";
import { timespecOf } from "../ffi/timespec.ts";
import type { LaunchedProcess } from "./launched_process.ts";
import { endIn, hasExited, type ProcessEnd, reaping, statusSince } from "./status.ts";
import { endServices } from "./running_service.ts";

/** What bounds a program whose output is collected. */
interface CollectLimits {
  /** The time after which it is asked to end, in milliseconds. */
  readonly timeout?: number | undefined;
  /** How long it may go on after that, until it is killed. */
  readonly killAfter?: number | undefined;
  /** How many bytes it may write to a stream. */
  readonly maxOutput?: number | undefined;
}

/**
 * Collects the program's output and waits for its end; ends it after the timeout.
 *
 * @throws {OutputLimitError} if it has written too much, when it is killed
 */
export function collectSync(
  launched: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
  { timeout, killAfter, maxOutput }: CollectLimits = {},
): CommandOutput {
  const { pidfd, cgroup } = launched;
  // First that of the timeout, then that of SIGKILL.
  let deadline = timeout === undefined ? Infinity : performance.now() + timeout;
  const collected = new Map<number, OutputCollector>();
  descriptors.forEach((fd, stream) => {
    if (fd !== undefined) collected.set(fd, new OutputCollector(stream, maxOutput));
  });
  const open = new Set(collected.keys());
  let [isEnding, timedOut] = [false, false];
  let status: ProcessEnd | undefined;
  const held = new HeldEnd();
  const kill = () => {
    if (status === undefined) syscall(pidfd_send_signal(pidfd, SIGNALS.SIGKILL));
    [isEnding, deadline] = [true, Infinity];
  };
  const end = () => {
    const grace = status === undefined && !isEnding ? askToEnd(launched, killAfter) : undefined;
    if (grace === undefined) return kill();
    [isEnding, deadline] = [true, performance.now() + grace];
  };
  const waitForAny = (): ProcessEnd | undefined => {
    const [first = -1, second = -1] = open;
    const left = deadline === Infinity ? FOREVER : Math.max(0, deadline - performance.now());
    const { seconds, nanoseconds } = timespecOf(left);
    const exit = status === undefined ? pidfd : -1;
    const routine = status === undefined ? REAPING : WAITING;
    const outcome = routine.run(first, second, exit, seconds, nanoseconds);
    return status ?? endIn(outcome);
  };
  while (status === undefined || (open.size > 0 && !isEnding)) {
    const hadEnded = status !== undefined;
    status = waitForAny();
    if (performance.now() >= deadline) {
      timedOut ||= !isEnding;
      end();
    }
    // This kills the remaining processes of the group, which may hold the streams open.
    if (!hadEnded && status !== undefined && cgroup !== undefined) {
      status = { ...status, ...cgroup.endSync() };
    }
    let isIdle = true;
    // All that a program has left in a pipe at its end is read at once.
    for (const fd of open) {
      const bytes = readSome(fd);
      if (bytes === undefined) continue;
      isIdle = false;
      const stream = collected.get(fd)!;
      stream.add(bytes);
      if (bytes.length === 0) open.delete(fd);
      else if (stream.overflows) kill();
    }
    if (status !== undefined || !isIdle || !hasExited(pidfd)) continue;
    if (held.isOver) {
      release(launched, descriptors);
      throw held.error;
    }
    held.rest();
  }
  const streams = descriptors.map((fd) => fd === undefined ? undefined : collected.get(fd));
  return conclude(launched, descriptors, { ...status, timedOut }, streams);
}

/**
 * Closes the descriptors and services of a program that has ended, and returns its output.
 *
 * @throws {OutputLimitError} if it has written too much
 */
export function conclude(
  launched: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
  end: ProcessEnd,
  [, stdout, stderr]: readonly (OutputCollector | undefined)[],
): CommandOutput {
  const status = statusSince(launched.startedAt, end);
  release(launched, descriptors);
  return commandOutput(status, stdout?.bytes(), stderr?.bytes());
}

function release(
  { pidfd, services }: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
): void {
  const open = [pidfd, ...descriptors.filter((fd) => fd !== undefined)];
  CLOSING[open.length - 1]!.run(...open);
  endServices(services);
}

/** Kills a container and waits for its end. */
export function endSync(launched: LaunchedProcess): void {
  syscall(pidfd_send_signal(launched.pidfd, SIGNALS.SIGKILL));
  collectSync(launched, []);
}

/** The timeout of ppoll(2) for a program without one, in milliseconds. */
const FOREVER = 1e12;

const FIRST = new Slot("stdout", 4), SECOND = new Slot("stderr", 4), EXIT = new Slot("pidfd", 4);
const SECONDS = new Slot("seconds"), NANOSECONDS = new Slot("nanoseconds");
const TIMEOUT = new Struct(new Uint8Array(16), "&timeout", [], [
  { offset: 0, slot: SECONDS },
  { offset: 8, slot: NANOSECONDS },
]);

const WAIT: ProgramRecord = {
  call: ppoll([FIRST, SECOND, EXIT].map((fd) => ({ fd, events: POLLIN })), TIMEOUT),
  accept: ["EINTR"],
};

/** Waits for output of the program, or for its end, and then reaps it too. */
const WAITING = new Routine([FIRST, SECOND, EXIT, SECONDS, NANOSECONDS], [WAIT]);
const REAPING = new Routine([FIRST, SECOND, EXIT, SECONDS, NANOSECONDS], [WAIT, reaping(EXIT)]);

/** Close a pidfd, and up to three descriptors more. */
const CLOSING = [1, 2, 3, 4].map((count) => {
  const fds = Array.from({ length: count }, (_, index) => new Slot(`fd ${index}`));
  return new Routine(fds, fds.map((fd) => ({ call: close(fd) })));
});
