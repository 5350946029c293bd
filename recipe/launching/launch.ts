/**
 * A launch: the program is run, the meetings are held, and what has failed is told and cleared away.
 *
 * @module
 */

import type { Output } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import {
  kill,
  P_PID,
  pidfd_open,
  PR_SET_DUMPABLE,
  prctl,
  SIGNALS,
  waitid,
  WEXITED,
} from "../../ffi/calls/processes.ts";
import { controlOutput, descriptorOf, receiveDescriptor } from "../../ffi/calls/sockets.ts";
import { engine, Outcome, place } from "../../ffi/engine/engine.ts";
import { perform, performAll } from "../../ffi/perform.ts";
import { LOCKLESS, prepareLock, unlockProcess } from "../../ffi/process_lock.ts";
import { assemble, type SyscallProgram, UNDER_WAY } from "../../ffi/program.ts";
import { ContainerCgroup } from "../running/container_cgroup.ts";
import type { Draft } from "../drafting/draft.ts";
import { type Ending, MEETING_SOCKETS } from "../drafting/script_part.ts";
import { type Launch, launchError } from "./explain.ts";
import { closeHanded, type HandedDescriptors, openHanded, writeNumbers } from "./handed.ts";
import { runIdMapTool } from "./id_map_tool.ts";
import type { Launched } from "./launched.ts";
import { type Layout, layOut } from "./layout.ts";
import { endAll, holdMeetings, waitForEnd } from "./meetings.ts";
import type { Order } from "./order.ts";

/** A launch that is laid out, and can be made again and again. */
export interface Prepared {
  readonly draft: Draft;
  readonly order: Order;
  readonly layout: Layout;
  readonly program: SyscallProgram;
}

/** Lays a launch out. */
export function prepare(draft: Draft, order: Order): Prepared {
  const layout = layOut(draft, order);
  return { draft, order, layout, program: assemble(layout.parts, engine().architecture) };
}

/** Changes a program before it runs: the tests of faults make calls of it fail. */
export type Alteration = (program: SyscallProgram, layout: Layout) => void;

/**
 * Makes a container and starts the program in it. When this returns, the program runs.
 *
 * @throws {SyscallError} naming the step and the call that failed; then nothing is left
 * @throws {Deno.errors.NotFound} when there is no such program in the container
 */
export function launch(draft: Draft, order: Order, alter?: Alteration): Launched {
  return launchPrepared(prepare(draft, order), new Map(), alter);
}

/** As {@linkcode launch}; the numbers of descriptors that the program refers to are filled in. */
export function launchPrepared(
  prepared: Prepared,
  numbers: HandedDescriptors,
  alter?: Alteration,
): Launched {
  const { draft, order } = prepared;
  const cgroup = ContainerCgroup.make(draft);
  if (cgroup === undefined) return launchHanded(prepared, numbers, alter);
  try {
    const inGroup = prepare(draft, { ...order, entrance: cgroup.entrance });
    const launched = launchHanded(inGroup, numbers, alter);
    cgroup.entered();
    return { ...launched, cgroup };
  } catch (error) {
    cgroup.discard();
    throw error;
  }
}

function launchHanded(
  prepared: Prepared,
  numbers: HandedDescriptors,
  alter: Alteration | undefined,
): Launched {
  const handed = openHanded(prepared.draft);
  try {
    writeNumbers(prepared.program, numbers);
    writeNumbers(prepared.program, handed);
    return start(prepared, alter);
  } finally {
    closeHanded(handed);
  }
}

function start(
  { draft, order, layout, program }: Prepared,
  alter: Alteration | undefined,
): Launched {
  const loaded = engine();
  prepareLock();
  alter?.(program, layout);
  // A script that is awake makes calls of its own while the container walks its table, so the table
  // needs memory that nothing else uses; and memory of its own to be shared, if all else is copied.
  const copied = draft.stages.some((stage) => stage.ownMemory);
  const memory = layout.vfork && !copied
    ? undefined
    : loaded.allocate(program.bytes.length, copied ? "shared" : "private");
  let outcome: Outcome;
  if (memory === undefined) outcome = loaded.run(program);
  else {
    place(program, memory);
    loaded.runIn(memory);
    outcome = new Outcome(program, memory.view);
  }
  const started: Launch = { draft, order, layout, outcome };
  let terminal: number | undefined;
  let listener: number | undefined;
  const endings: Ending[] = [];
  try {
    if (layout.vfork) restoreDumpable(started);
    if (!layout.vfork && outcome.failed === undefined) {
      const socket = socketOf(outcome);
      holdMeetings(
        draft,
        socket,
        (tool, args) => runIdMapTool(launch, tool, args),
        endings,
      );
      if (order.terminal?.place === "container") terminal = receive(socket);
      if (draft.listener !== undefined) listener = receive(socket);
      waitForEnd(socket);
      restoreDumpable(started);
    }
    if (outcome.failed !== undefined || !hasBegun(started)) throw launchError(started);
    if (order.terminal?.place === "container") terminal ??= receive(socketOf(outcome));
    if (draft.listener !== undefined) listener ??= receive(socketOf(outcome));
    const pid = children(started).at(-1)!;
    const pidfd = layout.pidfd === undefined
      ? perform(pidfd_open(pid, 0))
      : Number(outcome.result(layout.pidfd));
    for (const passed of children(started).slice(0, -1)) reap(passed);
    if (hasSockets(started)) perform(close(socketOf(outcome)));
    return { pid, pidfd, terminal, listener, endings };
  } catch (thrown) {
    // Where the container has failed by itself, the script's part has failed for the want of it.
    const error = outcome.failed === undefined ? thrown : launchError(started);
    for (const fd of [terminal, listener]) if (fd !== undefined) perform(close(fd));
    clearAway(started);
    try {
      endAll(endings);
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
  return layout.attempts.some(({ execve }) => outcome.result(execve) === UNDER_WAY);
}

/** Ends every process of a launch that has failed, and closes what it has opened. */
function clearAway(started: Launch): void {
  const { layout, outcome } = started;
  for (const pid of children(started)) {
    perform(kill(pid, SIGNALS.SIGKILL));
    reap(pid);
  }
  if (layout.pidfd !== undefined && outcome.result(layout.pidfd) > 0n) {
    perform(close(Number(outcome.result(layout.pidfd))));
  }
  if (hasSockets(started)) perform(close(socketOf(outcome)));
}

/** The memory can be looked into again as before: nothing of the container shares it any more. */
function restoreDumpable({ layout, outcome }: Launch): void {
  if (layout.dumpable === undefined) return;
  const dumpable = Number(outcome.result(layout.dumpable));
  const restore = prctl(PR_SET_DUMPABLE, dumpable);
  performAll([
    // 0 is also what stands there when the launch has not come as far.
    ...(dumpable > 0 ? [{ call: restore, accept: ["EINVAL"] as const }] : []),
    { call: unlockProcess(), accept: LOCKLESS },
  ]);
}

/** The processes that are this script's own children; what comes behind an init is the init's. */
function children({ draft, outcome }: Launch): number[] {
  const pids: number[] = [];
  for (const stage of draft.stages) {
    const pid = pidOf(outcome, stage.pid);
    if (pid > 0) pids.push(pid);
    if (stage.then === "init") break;
  }
  return pids;
}

function reap(pid: number): void {
  performAll([{ call: waitid(P_PID, pid, null, WEXITED), accept: ["ECHILD"] }]);
}

function pidOf(outcome: Outcome, stage: Output): number {
  return outcome.output(stage).getInt32(0, true);
}

function hasSockets({ layout, outcome }: Launch): boolean {
  return layout.sockets !== undefined && outcome.result(layout.sockets) === 0n;
}

function socketOf(outcome: Outcome): number {
  return outcome.output(MEETING_SOCKETS).getInt32(0, true);
}

function receive(socket: number): number | undefined {
  const control = controlOutput();
  // The connection is reset where the container has closed without having read its own byte.
  const call = receiveDescriptor(socket, control);
  const outcome = performAll([{ call, accept: ["ECONNRESET"] }]);
  return descriptorOf(outcome.output(control));
}
