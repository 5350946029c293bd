/**
 * The sync points of a launch: the container waits, the script does its part, the container goes on.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { read, write } from "../ffi/calls/files.ts";
import {
  controlOutput,
  descriptorOf,
  passCredentials,
  receiveByte,
  receiveDescriptor,
  senderOf,
  senderOutput,
} from "../ffi/calls/sockets.ts";
import { engine } from "../ffi/engine/engine.ts";
import { failureOf } from "../ffi/engine/failure.ts";
import { assemble, Label } from "../ffi/engine/program.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { HostService, ParentCall, SyncPoint } from "../plan/parent_work.ts";
import type { ExecSpec } from "./exec.ts";
import { failureError, stepError } from "./explain.ts";
import { runIdMapTool } from "./host_services/id_maps.ts";
import type { RunningService } from "./running_service.ts";
import { startService } from "./host_services/table.ts";
import type { LaunchedProcess } from "./launched_process.ts";

/**
 * Does the script's part at each sync point; returns early when the container has failed. What is
 * started is added to `services`.
 *
 * @param spawn runs a program of the host's
 */
export function serveSyncPoints(
  plan: PlanBuilder,
  socket: number,
  spawn: (spec: ExecSpec) => LaunchedProcess,
  services: RunningService[],
): void {
  for (const point of plan.syncPoints) {
    const pid = waitForArrival(socket);
    // The container's side is closed when it has failed; what has failed stands in its table.
    if (pid === undefined) return;
    for (const action of point.parentActions(String(pid))) {
      if ("calls" in action) makeCalls(action.calls, plan, point);
      else if ("program" in action) runIdMapTool(spawn, action.program, action.args);
      else services.push(start(action, pid, spawn, plan, point));
    }
    letGo(socket);
  }
  // What comes next may be a descriptor, whose sender is known.
  syscall(passCredentials(socket, false));
}

/** Lets a container go on that waits; where it was killed meanwhile, there is none. */
export function letGo(socket: number): void {
  syscalls([{ call: write(socket, new Uint8Array(1), 1), accept: ["EPIPE"] }]);
}

/** Waits until the program runs or the container has ended: its side is closed then. */
export function waitForEnd(socket: number): void {
  while (waitForByte(socket));
}

/** Whether the other side has sent a byte, and not closed. */
export function waitForByte(socket: number): boolean {
  const byte = read(socket, new Output(1), 1);
  // The connection is reset where the container has closed without having read its own byte.
  return Number(syscalls([{ call: byte, accept: ["ECONNRESET"] }]).result(byte)) > 0;
}

/** Receives a descriptor that the container sends; `undefined` where it has failed before. */
export function receiveFd(socket: number): number | undefined {
  const control = controlOutput();
  const call = receiveDescriptor(socket, control);
  const result = syscalls([{ call, accept: ["ECONNRESET"] }]);
  return descriptorOf(result.output(control));
}

function start(
  service: HostService,
  pid: number,
  spawn: (spec: ExecSpec) => LaunchedProcess,
  plan: PlanBuilder,
  point: SyncPoint,
): RunningService {
  try {
    return startService(service, { pid, spawn });
  } catch (error) {
    throw stepError(error, plan, point.stepIndex);
  }
}

/** Makes the calls; the last one, which closes what they have opened, also where one has failed. */
function makeCalls(calls: readonly ParentCall[], plan: PlanBuilder, point: SyncPoint): void {
  const last = new Label("last");
  const parts = calls.slice(0, -1).map(({ call }) => ({ call, onFailure: last }));
  const loaded = engine();
  const program = assemble([...parts, last, { call: calls.at(-1)!.call }], loaded.architecture);
  const failure = failureOf(loaded.run(program));
  if (failure === undefined) return;
  const { fixes } = calls.find(({ call }) => call === failure.call)!;
  throw failureError(failure, { plan, stepIndex: point.stepIndex, fixes });
}

/**
 * Waits until the container is at its next sync point. Returns its pid as the script sees it, which
 * only the kernel knows where an init has made the process; `undefined` when the other side is
 * closed.
 */
function waitForArrival(socket: number): number | undefined {
  const sender = senderOutput();
  const call = receiveByte(socket, sender);
  const result = syscalls([{ call, accept: ["ECONNRESET"] }]);
  return result.result(call) > 0n ? senderOf(result.output(sender)) : undefined;
}
