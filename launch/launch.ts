/**
 * Runs a launch: starts the first process, serves the sync points, and on failure returns the error
 * and cleans up.
 *
 * @module
 */

import type { Output } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { kill, pidfd_open, SIGNALS } from "../ffi/calls/processes.ts";
import { engine, place, RunResult, sizeWith } from "../ffi/engine/engine.ts";
import type { Memory } from "../ffi/engine/memory.ts";
import { PENDING, type SyscallProgram } from "../ffi/engine/program.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { SYNC_SOCKETS } from "../plan/parent_work.ts";
import type { ExecSpec } from "./exec.ts";
import { killedError, launchError } from "./explain.ts";
import { PATIENCE } from "./held_end.ts";
import { launchTimeout } from "./launch_timeout.ts";
import { childrenOf } from "./launch_watch.ts";
import type { LaunchedProcess } from "./launched_process.ts";
import type { LaunchProgram } from "./link.ts";
import { writeName } from "./names.ts";
import { reap, reapTraced } from "./reap.ts";
import type { SealedProgram } from "./sealed_program.ts";
import type { ScriptFrame } from "./script_frame.ts";
import { copiesMemory, type LaunchShape } from "./shape.ts";
import { bindingsOf, type LaunchValues } from "./slots.ts";
import { letGo, receiveFd, serveSyncPoints, waitForByte, waitForEnd } from "./sync.ts";
import { endServices, type RunningService } from "./running_service.ts";

/** A compiled launch, which can be run repeatedly. */
export interface CompiledLaunch {
  readonly plan: PlanBuilder;
  readonly shape: LaunchShape;
  readonly frame: ScriptFrame;
  readonly layout: LaunchProgram;
  readonly program: SyscallProgram;
  /** The executable that executes the program, if one does. */
  readonly sealed: SealedProgram | undefined;
}

/** A compiled launch with the values of its slots. */
export interface PreparedLaunch {
  readonly compiled: CompiledLaunch;
  readonly values: LaunchValues;
}

/** A launch in progress. */
export class Launch {
  readonly #prepared: PreparedLaunch;
  readonly #compiled: CompiledLaunch;
  /** The memory of the program, unless it runs in the engine's own. */
  #memory: Memory | undefined;
  readonly #result: RunResult;
  /** The state of the launch, when it cannot change any more. */
  #final: LaunchState | undefined;
  /** Whether the script's memory is still to be restored. */
  #isGuarded: boolean;
  /** Whether a process watches it that the script has to end. */
  #isWatched = true;
  #terminal: number | undefined;
  #listener: number | undefined;
  #notifier: number | undefined;
  /** Whether somebody else has the listener. */
  #isTaken = false;
  #notifySocket: number | undefined;
  readonly #services: RunningService[];

  /**
   * Starts the first process. The script's thread blocks until the program runs, unless the
   * container waits for the script.
   *
   * @param services what was started before, and ends with the container
   */
  constructor(prepared: PreparedLaunch, services: readonly RunningService[] = []) {
    this.#services = [...services];
    const { compiled, values } = prepared;
    this.#prepared = prepared;
    this.#compiled = compiled;
    const { plan, shape, frame, program } = compiled;
    this.#isGuarded = !frame.vfork;
    const bindings = bindingsOf(values);
    const loaded = engine();
    // A container that runs at the same time as the script needs memory of its own for the program,
    // and one with a copy of the script's memory needs shared memory.
    const isCopied = !frame.sharesMemory ||
      plan.processes.some((process) => copiesMemory(process, shape));
    if (frame.vfork && !isCopied) {
      const result = loaded.runInArena(program, bindings);
      this.#final = this.#read(result);
      this.#result = this.#final.runs ? result : result.copy();
      return;
    }
    const sharing = isCopied ? "shared" : "private";
    this.#memory = loaded.allocate(sizeWith(program, bindings), sharing);
    place(program, this.#memory, bindings);
    loaded.runIn(this.#memory);
    this.#result = new RunResult(program, this.#memory.view);
    this.#final = frame.vfork ? this.#read(this.#result) : undefined;
  }

  /**
   * Does the script's part until the container is complete, and waits to be started if it is held.
   *
   * @param spawn runs a program on the host
   */
  serve(spawn: (spec: ExecSpec) => LaunchedProcess): void {
    const { plan, frame, shape } = this.#compiled;
    const { failed, socket } = this.#state;
    if (!frame.vfork && !failed) {
      serveSyncPoints(plan, socket!, spawn, this.#services);
      this.#receiveFds(socket!);
      if (shape.held && !waitForByte(socket!)) throw this.#error();
    }
    if (this.#state.failed) throw this.#error();
  }

  /** The services of the container that run on the host. */
  get services(): readonly RunningService[] {
    return this.#services;
  }

  /** The pid of the container's process. */
  get pid(): number {
    return this.#state.pids.at(-1)!;
  }

  /** Starts the program if the container is held, and waits until it runs. */
  finish(): LaunchedProcess {
    const { frame, shape } = this.#compiled;
    if (!frame.vfork) {
      const { socket } = this.#state;
      if (shape.held) letGo(socket!);
      this.#receiveNotifier(socket!);
      const { plan, sealed } = this.#compiled;
      const patience = plan.state.stoppable ? PATIENCE : undefined;
      const report = waitForEnd(socket!, sealed?.length, patience);
      this.#endWatch();
      this.#restore();
      if (report.length > 0) throw this.#sealedError(report);
    }
    const { pids, pidfd, socket, runs } = this.#state;
    if (!runs) throw this.#error();
    if (socket !== undefined) this.#receiveFds(socket);
    if (socket !== undefined) this.#receiveNotifier(socket);
    const pid = pids.at(-1)!;
    const opened = pidfd ?? syscall(pidfd_open(pid, 0));
    // So that abort() closes it.
    if (pidfd === undefined) this.#final = { ...this.#state, pidfd: opened };
    const { name, program } = this.#prepared.values.spec;
    writeName(opened, pid, name ?? program);
    for (const service of this.#services) service.guard?.(opened);
    for (let index = 0; index < pids.length - 1; index++) reap(pids[index]!);
    if (socket !== undefined) syscall(close(socket));
    this.#release();
    return {
      pid,
      pidfd: opened,
      startedAt: performance.now(),
      terminal: this.#terminal,
      listener: this.#listener,
      notifier: this.#notifier,
      notifySocket: this.#notifySocket,
      services: this.#services,
    };
  }

  /** Ends all processes and services, and closes all descriptors. Returns the error to throw. */
  abort(thrown: unknown): unknown {
    this.#endWatch();
    // If the container has failed, the script's error is only a consequence.
    const { failed } = this.#state;
    const error = failed ? this.#error() : thrown;
    this.#killAll();
    const { pidfd, socket } = this.#state;
    for (
      const fd of [
        this.#terminal,
        this.#listener,
        this.#notifier,
        this.#notifySocket,
        pidfd,
        socket,
      ]
    ) {
      if (fd !== undefined) syscall(close(fd));
    }
    try {
      endServices(this.#services);
    } catch {
      // The first error is the cause.
    }
    this.#restore();
    this.#release();
    return error;
  }

  /** Kills and reaps the processes: each may have made the next one before it has ended. */
  #killAll(): void {
    for (let index = 0; index < this.#state.pids.length; index++) {
      const pid = this.#state.pids[index]!;
      syscall(kill(pid, SIGNALS.SIGKILL));
      reapTraced(pid);
    }
  }

  /** The error of the launch, as its program has recorded it. */
  #error(): Error {
    const { frame: { watch } } = this.#compiled;
    // What the script has met after that is a consequence.
    if (watch?.hasEndedLaunch(this.#result)) return launchTimeout(this.#prepared, this.#result);
    return launchError(this.#prepared, this.#result);
  }

  /** The error that the sealed executable has reported. */
  #sealedError(report: Uint8Array<ArrayBuffer>): Error {
    const { compiled, values } = this.#prepared;
    const { layout, sealed } = compiled;
    const result = sealed?.read(report);
    if (result === undefined) return killedError();
    const inside = { ...compiled, layout: { ...layout, ...sealed!.layout } };
    return launchError({ compiled: inside, values }, result);
  }

  #receiveFds(socket: number): void {
    const { plan, shape } = this.#compiled;
    if (shape.terminal === "container") this.#terminal ??= receiveFd(socket);
    if (plan.listener !== undefined) this.#listener ??= receiveFd(socket);
    if (shape.notify === true) this.#notifySocket ??= receiveFd(socket);
  }

  /** Receives what the container sends last, before its program. */
  #receiveNotifier(socket: number): void {
    const { notifier } = this.#compiled.plan;
    if (notifier === undefined || this.#isTaken) return;
    this.#notifier ??= receiveFd(socket);
    if (notifier.take === undefined || this.#notifier === undefined) return;
    this.#isTaken = true;
    notifier.take(this.#notifier, this.pid);
    syscall(close(this.#notifier));
    this.#notifier = undefined;
  }

  /** Restores the script's memory, once only: after that, another launch may have changed it. */
  #restore(): void {
    if (this.#isGuarded) this.#compiled.frame.guard.restore(this.#result);
    this.#isGuarded = false;
  }

  /** Ends what watches a launch that meets the script. */
  #endWatch(): void {
    const { frame: { vfork, watch } } = this.#compiled;
    if (!vfork && this.#isWatched) watch?.end(this.#result);
    this.#isWatched = false;
  }

  #release(): void {
    if (this.#memory !== undefined) engine().release(this.#memory);
    this.#memory = undefined;
  }

  get #state(): LaunchState {
    return this.#final ?? this.#read(this.#result);
  }

  #read(result: RunResult): LaunchState {
    const { plan, frame, layout } = this.#compiled;
    const { sockets, pidfd } = frame;
    const failed = result.failed !== undefined || frame.watch?.hasEndedLaunch(result) === true;
    const hasSockets = sockets !== undefined && result.result(sockets) === 0n;
    const opened = pidfd === undefined ? 0n : result.result(pidfd);
    return {
      pids: childrenIn(result, plan),
      pidfd: opened > 0n ? Number(opened) : undefined,
      socket: hasSockets ? result.output(SYNC_SOCKETS).getInt32(0, true) : undefined,
      failed,
      // execve(2) does not return on success.
      runs: !failed &&
        layout.executes.some((call) => result.result(call) === PENDING),
    };
  }
}

/** The state of a launch, as its program records it. */
interface LaunchState {
  /** The pids of those processes of the container that are children of the script. */
  readonly pids: readonly number[];
  readonly pidfd: number | undefined;
  /** The script's end of the sync sockets. */
  readonly socket: number | undefined;
  /** Whether a call has failed, or the time is over. */
  readonly failed: boolean;
  /** Whether the program runs. */
  readonly runs: boolean;
}

/** Returns the pids of the script's children. */
function childrenIn(result: RunResult, plan: PlanBuilder): number[] {
  return childrenOf(plan).map(({ pid }) => pidIn(result, pid)).filter((pid) => pid > 0);
}

function pidIn(result: RunResult, pid: Output): number {
  return result.output(pid).getInt32(0, true);
}
