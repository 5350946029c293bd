/**
 * One launch under way: from the clone until the program runs, or nothing is left of it.
 *
 * @module
 */

import type { Output } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { kill, P_PID, pidfd_open, SIGNALS, waitid, WEXITED } from "../ffi/calls/processes.ts";
import { engine, place, RunResult, sizeWith } from "../ffi/engine/engine.ts";
import type { Memory } from "../ffi/engine/memory.ts";
import { PENDING, type SyscallProgram } from "../ffi/engine/program.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { SYNC_SOCKETS } from "../plan/parent_work.ts";
import type { ExecSpec } from "./exec.ts";
import { launchError } from "./explain.ts";
import type { LaunchedProcess } from "./launched_process.ts";
import type { LaunchProgram } from "./link.ts";
import type { ScriptFrame } from "./script_frame.ts";
import type { LaunchShape } from "./shape.ts";
import { bindingsOf, type LaunchValues } from "./slots.ts";
import { letGo, receiveFd, serveSyncPoints, waitForByte, waitForEnd } from "./sync.ts";
import { endServices, type RunningService } from "./running_service.ts";

/** A launch that is laid out, and can be made again and again. */
export interface CompiledLaunch {
  readonly plan: PlanBuilder;
  readonly shape: LaunchShape;
  readonly frame: ScriptFrame;
  readonly layout: LaunchProgram;
  readonly program: SyscallProgram;
}

/** A launch that can be made, with what fills its slots. */
export interface PreparedLaunch {
  readonly compiled: CompiledLaunch;
  readonly values: LaunchValues;
}

/** A launch under way. */
export class Launch {
  readonly #prepared: PreparedLaunch;
  readonly #compiled: CompiledLaunch;
  /** The table that the engine walks, where that is not the engine's own memory. */
  #memory: Memory | undefined;
  readonly #result: RunResult;
  /** What the table says; for a container that is still walking it, read anew each time. */
  readonly #final: Findings | undefined;
  /** Whether the script's memory is still to be restored. */
  #isGuarded: boolean;
  #terminal: number | undefined;
  #listener: number | undefined;
  readonly #services: RunningService[] = [];

  /**
   * Begins: makes the first process. The script's thread sleeps until the program runs, or goes on
   * where the container needs something of the script.
   */
  constructor(prepared: PreparedLaunch) {
    const { compiled, values } = prepared;
    this.#prepared = prepared;
    this.#compiled = compiled;
    const { plan, frame, program } = compiled;
    this.#isGuarded = !frame.vfork;
    const bindings = bindingsOf(values);
    const loaded = engine();
    // A table of its own has a container that walks it while the script makes calls too; and one
    // whose memory is copied needs a table that is not.
    const isCopied = !frame.sharesMemory || plan.processes.some(({ ownMemory }) => ownMemory);
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
   * Does the script's part, up to the point at which the container is made: where it waits to be
   * started, if it is to.
   *
   * @param spawn runs a program of the host's
   */
  serve(spawn: (spec: ExecSpec) => LaunchedProcess): void {
    const { plan, frame, shape } = this.#compiled;
    const { failed, socket } = this.#findings;
    if (!frame.vfork && !failed) {
      serveSyncPoints(plan, socket!, spawn, this.#services);
      this.#receiveFds(socket!);
      if (shape.held && !waitForByte(socket!)) throw launchError(this.#prepared, this.#result);
    }
    if (this.#findings.failed) throw launchError(this.#prepared, this.#result);
  }

  /** What the script keeps up for it on the host. */
  get services(): readonly RunningService[] {
    return this.#services;
  }

  /** The container's own process, as far as it is made. */
  get pid(): number {
    return this.#findings.pids.at(-1)!;
  }

  /** Waits until the program runs, which a container that waits is let go for. */
  finish(): LaunchedProcess {
    const { frame, shape } = this.#compiled;
    if (!frame.vfork) {
      const { socket } = this.#findings;
      if (shape.held) letGo(socket!);
      waitForEnd(socket!);
      this.#restore();
    }
    const { pids, pidfd, socket, runs } = this.#findings;
    if (!runs) throw launchError(this.#prepared, this.#result);
    if (socket !== undefined) this.#receiveFds(socket);
    const pid = pids.at(-1)!;
    const opened = pidfd ?? syscall(pidfd_open(pid, 0));
    for (let index = 0; index < pids.length - 1; index++) reap(pids[index]!);
    if (socket !== undefined) syscall(close(socket));
    this.#release();
    return {
      pid,
      pidfd: opened,
      terminal: this.#terminal,
      listener: this.#listener,
      services: this.#services,
    };
  }

  /** Ends every process, closes what is open, and ends what was started; returns the error to throw. */
  abort(thrown: unknown): unknown {
    // Where the container has failed by itself, the script's part has failed because of that.
    const { pids, pidfd, socket, failed } = this.#findings;
    const error = failed ? launchError(this.#prepared, this.#result) : thrown;
    for (const pid of pids) {
      syscall(kill(pid, SIGNALS.SIGKILL));
      reap(pid);
    }
    for (const fd of [this.#terminal, this.#listener, pidfd, socket]) {
      if (fd !== undefined) syscall(close(fd));
    }
    try {
      endServices(this.#services);
    } catch {
      // The error that came first says more.
    }
    this.#restore();
    this.#release();
    return error;
  }

  #receiveFds(socket: number): void {
    const { plan, shape } = this.#compiled;
    if (shape.terminal === "container") this.#terminal ??= receiveFd(socket);
    if (plan.listener !== undefined) this.#listener ??= receiveFd(socket);
  }

  /** Restores what guards the script's memory: once, as it may be another launch's turn then. */
  #restore(): void {
    if (this.#isGuarded) this.#compiled.frame.guard.restore(this.#result);
    this.#isGuarded = false;
  }

  #release(): void {
    if (this.#memory !== undefined) engine().release(this.#memory);
    this.#memory = undefined;
  }

  get #findings(): Findings {
    return this.#final ?? this.#read(this.#result);
  }

  #read(result: RunResult): Findings {
    const { plan, frame, layout } = this.#compiled;
    const { sockets, pidfd } = frame;
    const failed = result.failed !== undefined;
    const hasSockets = sockets !== undefined && result.result(sockets) === 0n;
    const opened = pidfd === undefined ? 0n : result.result(pidfd);
    return {
      pids: childrenIn(result, plan),
      pidfd: opened > 0n ? Number(opened) : undefined,
      socket: hasSockets ? result.output(SYNC_SOCKETS).getInt32(0, true) : undefined,
      failed,
      // execve(2) does not come back from where it succeeds.
      runs: !failed && layout.candidates.some(({ execve }) => result.result(execve) === PENDING),
    };
  }
}

/** What a table says of a launch. */
interface Findings {
  /** The script's own children among the processes of the container. */
  readonly pids: readonly number[];
  readonly pidfd: number | undefined;
  /** The script's end of the sockets. */
  readonly socket: number | undefined;
  /** Whether a call has failed. */
  readonly failed: boolean;
  /** Whether the program has begun. */
  readonly runs: boolean;
}

/** The processes that are this script's own children; those behind an init are the init's. */
function childrenIn(result: RunResult, plan: PlanBuilder): number[] {
  const pids: number[] = [];
  for (const { pid, then } of plan.processes) {
    const number = pidIn(result, pid);
    if (number > 0) pids.push(number);
    if (then === "init") break;
  }
  return pids;
}

function pidIn(result: RunResult, pid: Output): number {
  return result.output(pid).getInt32(0, true);
}

function reap(pid: number): void {
  syscalls([{ call: waitid(P_PID, pid, null, WEXITED), accept: ["ECHILD"] }]);
}
