/**
 * Serves the sync points of a launch: the container sends a byte and waits, the script does its
 * actions and sends a byte back.
 *
 * @module
 */

import { type Call, Output } from "../ffi/call.ts";
import { read, write } from "../ffi/calls/files.ts";
import {
  controlOutput,
  descriptorOf,
  passCredentials,
  receiveByte,
  receiveDescriptor,
  receiveTimeout,
  senderOf,
  senderOutput,
} from "../ffi/calls/sockets.ts";
import { concat } from "../ffi/concat.ts";
import { engine, type RunResult } from "../ffi/engine/engine.ts";
import { failureOf } from "../ffi/engine/failure.ts";
import { assemble, Label } from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import {
  knownPid,
  type ParentAction,
  type ParentCall,
  type SyncPoint,
} from "../plan/parent_work.ts";
import type { ExecSpec } from "./exec.ts";
import { failureError, heldUpError, stepError } from "./explain.ts";
import { PATIENCE } from "./held_end.ts";
import { runIdMapTool } from "./host_services/id_maps.ts";
import type { RunningService } from "./running_service.ts";
import { startService } from "./host_services/table.ts";
import type { LaunchedProcess } from "./launched_process.ts";

/**
 * Does the script's actions at each sync point; returns early if the container has failed. Adds the
 * services that it starts to `services`.
 *
 * @param spawn runs a program on the host
 */
export function serveSyncPoints(
  plan: PlanBuilder,
  socket: number,
  spawn: (spec: ExecSpec) => LaunchedProcess,
  services: RunningService[],
): void {
  for (const point of plan.syncPoints) {
    const pid = waitForArrival(socket);
    // The container has failed and closed its end; the error is in the launch's record.
    if (pid === undefined) return;
    for (const action of point.parentActions(knownPid(pid))) {
      if ("calls" in action) makeCalls(action.calls, plan, point);
      else if ("run" in action) action.run(pid);
      else services.push(...startProgram(action, pid, spawn, plan, point));
    }
    letGo(socket);
  }
  if (plan.syncPoints.length === 0) return;
  // The next message may carry a descriptor, for which the output has no room for credentials too.
  syscall(passCredentials(socket, false));
}

/** Sends the byte that a container waits for; does nothing if the container was killed (EPIPE). */
export function letGo(socket: number): void {
  syscalls([{ call: write(socket, new Uint8Array(1), 1), accept: ["EPIPE"] }]);
}

/**
 * Waits until the program runs or the container has ended, which closes the container's end. Returns
 * what it has sent before, at most so many bytes. Who traces its process can send on and on, so that no
 * message makes the wait longer.
 *
 * @param patience how many milliseconds it may take, where a program of others may hold it up
 */
export function waitForEnd(
  socket: number,
  most = 0,
  patience = Infinity,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const end = performance.now() + patience;
  for (let length = 0;;) {
    const part = receive(socket, Math.max(most - length, 1));
    if (part.length === 0) break;
    if (patience !== Infinity) waitNoLonger(socket, end - performance.now());
    if (length < most) parts.push(part);
    length += part.length;
  }
  return concat(parts);
}

/** Lets what is received from now on take so many milliseconds. */
function waitNoLonger(socket: number, milliseconds: number): void {
  if (milliseconds <= 0) throw heldUpError();
  syscall(receiveTimeout(socket, Math.ceil(milliseconds)));
}

/** Receives bytes; none if the other end is closed. */
function receive(socket: number, most: number): Uint8Array {
  const bytes = new Output(most);
  const call = read(socket, bytes, most);
  const result = received(call);
  const { buffer, byteOffset } = result.output(bytes);
  return new Uint8Array(buffer, byteOffset, Math.max(Number(result.result(call)), 0));
}

/** Waits for a byte; returns `false` if the other end is closed. */
export function waitForByte(socket: number): boolean {
  return receive(socket, 1).length > 0;
}

/**
 * Makes a call that receives what the container sends, in its time. A signal that the script handles
 * interrupts a socket with a timeout (signal(7)), and the end of any child is one (SIGCHLD).
 */
function received(call: Call): RunResult {
  for (const end = performance.now() + PATIENCE;;) {
    // ECONNRESET: the container has exited without having read the script's byte.
    const result = syscalls([{ call, accept: ["ECONNRESET", "EAGAIN", "EINTR"] }]);
    const errno = -Number(result.result(call));
    const isInterrupted = errno === ERRNO.EINTR;
    if (errno === ERRNO.EAGAIN || (isInterrupted && performance.now() > end)) throw heldUpError();
    if (!isInterrupted) return result;
  }
}

/** Receives a descriptor that the container sends; `undefined` if the container has failed. */
export function receiveFd(socket: number): number | undefined {
  const control = controlOutput();
  const call = receiveDescriptor(socket, control);
  const result = received(call);
  return descriptorOf(result.output(control));
}

/** Runs a program of the host to its end, or returns the service that has begun. */
function startProgram(
  action: Exclude<ParentAction, { readonly calls: unknown } | { readonly run: unknown }>,
  pid: number,
  spawn: (spec: ExecSpec) => LaunchedProcess,
  plan: PlanBuilder,
  point: SyncPoint,
): readonly RunningService[] {
  try {
    if (!("program" in action)) return [startService(action, { pid, spawn })];
    runIdMapTool(spawn, action.program, action.args.map(String));
    return [];
  } catch (error) {
    throw stepError(error, plan, point.stepIndex);
  }
}

/** Makes the calls; the last one, which closes a descriptor, also if another has failed. */
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
 * Waits until the container is at its next sync point. Returns its pid in the script's pid
 * namespace, which only the kernel knows if an init has made the process (SCM_CREDENTIALS,
 * unix(7)); `undefined` if the other end is closed.
 */
function waitForArrival(socket: number): number | undefined {
  const sender = senderOutput();
  const call = receiveByte(socket, sender);
  const result = received(call);
  return result.result(call) > 0n ? senderOf(result.output(sender)) : undefined;
}
