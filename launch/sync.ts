/**
 * The meetings of a launch: the container waits, the script does its part, the container goes on.
 *
 * @module
 */

import { type Call, Output } from "../ffi/call.ts";
import { read, write } from "../ffi/calls/files.ts";
import { passCredentials, receiveByte, senderOf, senderOutput } from "../ffi/calls/sockets.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { Label } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { Cleanup, HostService, SyncPoint } from "../plan/parent_work.ts";
import { stepError } from "./explain.ts";

/**
 * Does the script's part of each meeting; returns early when the container has failed. How to end
 * what lasts is added to `cleanups`.
 */
export function serveSyncPoints(
  plan: PlanBuilder,
  socket: number,
  runProgram: (program: string, args: readonly string[]) => void,
  cleanups: Cleanup[],
): void {
  for (const meeting of plan.syncPoints) {
    const pid = waitForArrival(socket);
    // The container's side is closed when it has failed; what has failed is in its table.
    if (pid === undefined) return;
    for (const act of meeting.acts(String(pid))) {
      if ("calls" in act) makeCalls(act.calls, plan, meeting);
      else if ("begin" in act) cleanups.push(begin(act, pid, plan, meeting));
      else runProgram(act.program, act.args);
    }
    // Nobody is there any more where the container was killed meanwhile.
    syscalls([{ call: write(socket, new Uint8Array(1), 1), accept: ["EPIPE"] }]);
  }
  // What comes next may be a descriptor, and nobody asks who sends it.
  syscall(passCredentials(socket, false));
}

/** Waits until the container has begun with the program or has ended: its side is closed then. */
export function waitForEnd(socket: number): void {
  while (waitForByte(socket));
}

/** Ends all that lasts, the latest first; what then fails is told once everything has ended. */
export function runCleanups(cleanups: readonly Cleanup[]): void {
  const errors: unknown[] = [];
  for (const end of cleanups.toReversed()) {
    try {
      end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

function begin(upkeep: HostService, pid: number, plan: PlanBuilder, meeting: SyncPoint): Cleanup {
  try {
    return upkeep.begin(pid);
  } catch (error) {
    throw stepError(error, plan, meeting.stepIndex);
  }
}

/** Makes the calls; the last one, which closes what they have opened, also where one has failed. */
function makeCalls(calls: readonly Call[], plan: PlanBuilder, meeting: SyncPoint): void {
  const last = new Label("last");
  const parts = calls.slice(0, -1).map((call) => ({ call, onFailure: last }));
  try {
    syscalls([...parts, last, { call: calls.at(-1)! }]);
  } catch (error) {
    throw stepError(error, plan, meeting.stepIndex);
  }
}

/**
 * Waits until the container is at its next meeting. Answers its pid as the script sees it, which
 * where an init has made the process only the kernel can tell; `undefined` when the other side is
 * closed.
 */
function waitForArrival(socket: number): number | undefined {
  const sender = senderOutput();
  const call = receiveByte(socket, sender);
  const outcome = syscalls([{ call, accept: ["ECONNRESET"] }]);
  return outcome.result(call) > 0n ? senderOf(outcome.output(sender)) : undefined;
}

/** Whether the other side has sent a byte, and not closed. */
function waitForByte(socket: number): boolean {
  const byte = read(socket, new Output(1), 1);
  // The connection is reset where the container has closed without having read its own byte.
  return Number(syscalls([{ call: byte, accept: ["ECONNRESET"] }]).result(byte)) > 0;
}
