/**
 * A launch: the program is run, the meetings are held, and what has failed is told and cleared away.
 *
 * @module
 */

import type { Output } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import {
  kill,
  P_PID,
  pidfd_open,
  PR_SET_DUMPABLE,
  prctl,
  SIGNALS,
  waitid,
  WEXITED,
} from "../ffi/calls/processes.ts";
import { controlOutput, descriptorOf, receiveDescriptor } from "../ffi/calls/sockets.ts";
import { engine, place, RunResult } from "../ffi/engine/engine.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { LOCKLESS, prepareLock, unlockProcess } from "../ffi/process_lock.ts";
import { assemble, PENDING, type SyscallProgram } from "../ffi/engine/program.ts";
import { ContainerCgroup } from "./cgroup.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { type Cleanup, SYNC_SOCKETS } from "../plan/parent_work.ts";
import { type Launch, launchError } from "./explain.ts";
import { bindSlots, closeInheritedFds, openInheritedFds, type SlotValues } from "./slots.ts";
import { runIdMapTool } from "./host_services/id_maps.ts";
import type { LaunchedProcess } from "./launched_process.ts";
import { type LaunchProgram, link } from "./link.ts";
import { runCleanups, serveSyncPoints, waitForEnd } from "./sync.ts";
import type { ExecSpec } from "./exec.ts";

/** A launch that is laid out, and can be made again and again. */
export interface CompiledLaunch {
  readonly plan: PlanBuilder;
  readonly order: ExecSpec;
  readonly layout: LaunchProgram;
  readonly program: SyscallProgram;
}

/** Lays a launch out. */
export function prepare(plan: PlanBuilder, order: ExecSpec): CompiledLaunch {
  const layout = link(plan, order);
  return { plan, order, layout, program: assemble(layout.parts, engine().architecture) };
}

/** Changes a program before it runs: the tests of faults make calls of it fail. */
export type Alteration = (program: SyscallProgram, layout: LaunchProgram) => void;

/**
 * Makes a container and starts the program in it. When this returns, the program runs.
 *
 * @throws {SyscallError} naming the step and the call that failed; then nothing is left
 * @throws {Deno.errors.NotFound} when there is no such program in the container
 */
export function launch(plan: PlanBuilder, order: ExecSpec, alter?: Alteration): LaunchedProcess {
  return spawn(prepare(plan, order), new Map(), alter);
}

/** As {@linkcode launch}; the numbers of descriptors that the program refers to are filled in. */
export function spawn(
  prepared: CompiledLaunch,
  numbers: SlotValues,
  alter?: Alteration,
): LaunchedProcess {
  const { plan, order } = prepared;
  const cgroup = ContainerCgroup.make(plan);
  if (cgroup === undefined) return launchHanded(prepared, numbers, alter);
  try {
    const inGroup = prepare(plan, { ...order, cgroupEntry: cgroup.cgroupEntry });
    const launched = launchHanded(inGroup, numbers, alter);
    cgroup.entered();
    return { ...launched, cgroup };
  } catch (error) {
    cgroup.discard();
    throw error;
  }
}

function launchHanded(
  prepared: CompiledLaunch,
  numbers: SlotValues,
  alter: Alteration | undefined,
): LaunchedProcess {
  const handed = openInheritedFds(prepared.plan);
  try {
    bindSlots(prepared.program, numbers);
    bindSlots(prepared.program, handed);
    return start(prepared, alter);
  } finally {
    closeInheritedFds(handed);
  }
}

function start(
  { plan, order, layout, program }: CompiledLaunch,
  alter: Alteration | undefined,
): LaunchedProcess {
  const loaded = engine();
  prepareLock();
  alter?.(program, layout);
  // A script that is awake makes calls of its own while the container walks its table, so the table
  // needs memory that nothing else uses; and memory of its own to be shared, if all else is copied.
  const copied = plan.processes.some((stage) => stage.ownMemory);
  const memory = layout.vfork && !copied
    ? undefined
    : loaded.allocate(program.bytes.length, copied ? "shared" : "private");
  let outcome: RunResult;
  if (memory === undefined) outcome = loaded.run(program);
  else {
    place(program, memory);
    loaded.runIn(memory);
    outcome = new RunResult(program, memory.view);
  }
  const started: Launch = { plan, order, layout, outcome };
  let terminal: number | undefined;
  let listener: number | undefined;
  const cleanups: Cleanup[] = [];
  try {
    if (layout.vfork) restoreDumpable(started);
    if (!layout.vfork && outcome.failed === undefined) {
      const socket = socketOf(outcome);
      serveSyncPoints(
        plan,
        socket,
        (tool, args) => runIdMapTool(launch, tool, args),
        cleanups,
      );
      if (order.terminal?.place === "container") terminal = receive(socket);
      if (plan.listener !== undefined) listener = receive(socket);
      waitForEnd(socket);
      restoreDumpable(started);
    }
    if (outcome.failed !== undefined || !hasBegun(started)) throw launchError(started);
    if (order.terminal?.place === "container") terminal ??= receive(socketOf(outcome));
    if (plan.listener !== undefined) listener ??= receive(socketOf(outcome));
    const pid = children(started).at(-1)!;
    const pidfd = layout.pidfd === undefined
      ? syscall(pidfd_open(pid, 0))
      : Number(outcome.result(layout.pidfd));
    for (const passed of children(started).slice(0, -1)) reap(passed);
    if (hasSockets(started)) syscall(close(socketOf(outcome)));
    return { pid, pidfd, terminal, listener, cleanups };
  } catch (thrown) {
    // Where the container has failed by itself, the script's part has failed for the want of it.
    const error = outcome.failed === undefined ? thrown : launchError(started);
    for (const fd of [terminal, listener]) if (fd !== undefined) syscall(close(fd));
    clearAway(started);
    try {
      runCleanups(cleanups);
    } catch {
      // The error that came first says more.
    }
    if (!layout.vfork) restoreDumpable(started);
    throw error;
  } finally {
    if (memory !== undefined) loaded.release(memory);
  }
}

/** Whether the program has been started: execve(2) does not come back from where it succeeds. */
function hasBegun({ layout, outcome }: Launch): boolean {
  return layout.attempts.some(({ execve }) => outcome.result(execve) === PENDING);
}

/** Ends every process of a launch that has failed, and closes what it has opened. */
function clearAway(started: Launch): void {
  const { layout, outcome } = started;
  for (const pid of children(started)) {
    syscall(kill(pid, SIGNALS.SIGKILL));
    reap(pid);
  }
  if (layout.pidfd !== undefined && outcome.result(layout.pidfd) > 0n) {
    syscall(close(Number(outcome.result(layout.pidfd))));
  }
  if (hasSockets(started)) syscall(close(socketOf(outcome)));
}

/** The memory can be looked into again as before: nothing of the container shares it any more. */
function restoreDumpable({ layout, outcome }: Launch): void {
  if (layout.dumpable === undefined) return;
  const dumpable = Number(outcome.result(layout.dumpable));
  const restore = prctl(PR_SET_DUMPABLE, dumpable);
  syscalls([
    // 0 is also what stands there when the launch has not come as far.
    ...(dumpable > 0 ? [{ call: restore, accept: ["EINVAL"] as const }] : []),
    { call: unlockProcess(), accept: LOCKLESS },
  ]);
}

/** The processes that are this script's own children; what comes behind an init is the init's. */
function children({ plan, outcome }: Launch): number[] {
  const pids: number[] = [];
  for (const stage of plan.processes) {
    const pid = pidOf(outcome, stage.pid);
    if (pid > 0) pids.push(pid);
    if (stage.then === "init") break;
  }
  return pids;
}

function reap(pid: number): void {
  syscalls([{ call: waitid(P_PID, pid, null, WEXITED), accept: ["ECHILD"] }]);
}

function pidOf(outcome: RunResult, stage: Output): number {
  return outcome.output(stage).getInt32(0, true);
}

function hasSockets({ layout, outcome }: Launch): boolean {
  return layout.sockets !== undefined && outcome.result(layout.sockets) === 0n;
}

function socketOf(outcome: RunResult): number {
  return outcome.output(SYNC_SOCKETS).getInt32(0, true);
}

function receive(socket: number): number | undefined {
  const control = controlOutput();
  // The connection is reset where the container has closed without having read its own byte.
  const call = receiveDescriptor(socket, control);
  const outcome = syscalls([{ call, accept: ["ECONNRESET"] }]);
  return descriptorOf(outcome.output(control));
}
