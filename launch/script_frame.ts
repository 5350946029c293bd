/**
 * The frame of a container that a script makes. The script's thread blocks signals, guards its
 * memory, makes the first process, and restores signals and memory. It blocks until the program
 * runs, unless the container waits for the script.
 *
 * @module
 */

import { type Call, Named, Output, OutputField } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { compareWord } from "../ffi/calls/futex.ts";
import {
  CHANGEABLE_SIGNALS,
  pidfd_open,
  POLLIN,
  ppoll,
  PR_SET_PDEATHSIG,
  prctl,
  rt_sigaction,
  rt_sigprocmask,
} from "../ffi/calls/processes.ts";
import { passCredentials, receiveTimeout, socketpair } from "../ffi/calls/sockets.ts";
import { END, Label } from "../ffi/engine/program.ts";
import { unobserved } from "../ffi/seccomp/observe.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { CONTAINER_SOCKET, SCRIPT_SOCKET, SYNC_SOCKETS } from "../plan/parent_work.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import { type ExecCandidate, findThenExec, tryExec } from "./exec_candidates.ts";
import type { Frame } from "./frame.ts";
import type { IgnoredSignals } from "./ignored_signals.ts";
import { LaunchWatch } from "./launch_watch.ts";
import { firstCloneFixes } from "./link.ts";
import { MemoryGuard } from "./memory_guard.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";
import { PATIENCE } from "./held_end.ts";
import { copiesMemory, type LaunchShape } from "./shape.ts";
import { SCRIPT_PIDFD } from "./slots.ts";

/** The facts of the script that a frame needs. */
export interface ScriptFacts extends IgnoredSignals {
  /** Whether clone3(2) resets handlers, but not what is ignored (CLONE_CLEAR_SIGHAND). */
  readonly clearsHandlers: boolean;
  /**
   * The word by which a container checks whether the script's thread still runs, if there is one.
   */
  readonly thread: ThreadWord | undefined;
}

/** A word of memory that contains the id of a thread until it ends. See set_tid_address(2). */
export interface ThreadWord {
  readonly address: bigint;
  readonly id: number;
}

/** The frame of one launch. */
export class ScriptFrame implements Frame {
  readonly vfork: boolean;
  readonly sharesMemory: boolean;
  readonly guard: MemoryGuard;
  /** What ends the launch when it takes too long, if there is a limit. */
  readonly watch: LaunchWatch | undefined;
  readonly #plan: PlanBuilder;
  readonly #shape: LaunchShape;
  readonly #facts: ScriptFacts;
  readonly #needsSockets: boolean;
  #sockets: Call | undefined;
  #pidfd: Call | undefined;

  constructor(plan: PlanBuilder, shape: LaunchShape, facts: ScriptFacts) {
    this.#plan = plan;
    this.#shape = shape;
    this.#facts = facts;
    // A sealed executable reports to the script, which waits for that; and who sleeps until the
    // program runs does so for ever where it is stopped before, or a listener is asked about its calls.
    this.vfork = plan.syncPoints.length === 0 && !shape.held && shape.sealed !== true &&
      !plan.state.stoppable && plan.notifier?.take === undefined;
    // The script runs on while the container waits, so the container needs a copy.
    this.sharesMemory = !shape.held;
    this.guard = new MemoryGuard(plan, shape, this);
    this.watch = shape.bounded === true ? new LaunchWatch() : undefined;
    this.#needsSockets = !this.vfork || shape.terminal === "container" ||
      plan.listener !== undefined || plan.notifier !== undefined || shape.visits === true ||
      shape.notify === true;
  }

  get clearsHandlers(): boolean {
    return this.#facts.clearsHandlers;
  }

  /** The call that makes the sync sockets, if they are needed. */
  get sockets(): Call | undefined {
    return this.#sockets;
  }

  /** The call that opens the container's pidfd, if the thread blocks until the program runs. */
  get pidfd(): Call | undefined {
    return this.#pidfd;
  }

  enclose(writer: ProgramWriter, clone: Call, firstProcess: Label): void {
    const [stopping, unmasking, lowering, closing] = [
      "stopping",
      "unmasking",
      "lowering",
      "closing",
    ].map((name) => new Label(name)) as [Label, Label, Label, Label];
    const mask = new Output(8, "&mask");
    writer.section = "script";
    if (this.#needsSockets) {
      this.#sockets = writer.add(socketpair(SYNC_SOCKETS), { onFailure: END });
    }
    if (this.#plan.syncPoints.length > 0) {
      writer.add(passCredentials(SCRIPT_SOCKET, true), { onFailure: closing });
    }
    if (this.#plan.state.stoppable) {
      writer.add(receiveTimeout(SCRIPT_SOCKET, PATIENCE), { onFailure: closing });
    }
    this.guard.raise(writer, closing);
    // A signal handler of the script must not run in the container, which shares the memory.
    writer.add(rt_sigprocmask("all", mask), { onFailure: lowering });
    this.watch?.start(writer, unmasking);
    writer.section = "clone";
    writer.add(clone, {
      onZero: firstProcess,
      onFailure: stopping,
      stepIndex: this.#plan.cloneStep,
      fixes: () => firstCloneFixes(this.#plan),
    });
    writer.section = "restore";
    writer.place(stopping);
    // What meets the container watches on.
    if (this.vfork) this.watch?.stop(writer);
    writer.place(unmasking);
    writer.add(rt_sigprocmask(mask, null));
    writer.place(lowering);
    this.guard.lower(writer);
    writer.place(closing);
    if (this.#needsSockets) writer.add(close(CONTAINER_SOCKET));
    writer.section = "script";
    if (this.vfork) {
      this.#pidfd = writer.add(pidfd_open(new OutputField(this.#plan.main.pid, 0, "pid"), 0));
    }
    writer.end();
  }

  aside(writer: ProgramWriter): void {
    writer.section = "watch";
    this.watch?.write(writer, this.#plan);
  }

  begin(writer: ProgramWriter): void {
    const { ignored, ignoredByRuntime, clearsHandlers } = this.#facts;
    // execve(2) does not reset ignored signals, and a handler could run before it on shared memory.
    for (const signal of clearsHandlers ? ignoredByRuntime : CHANGEABLE_SIGNALS) {
      writer.add(rt_sigaction(signal, "SIG_DFL"), CHILD_EDGES);
    }
    // The runtime may have put handlers in the place of what its caller had it ignore.
    for (const signal of ignored) writer.add(rt_sigaction(signal, "SIG_IGN"), CHILD_EDGES);
    this.guard.begin(writer);
    if (this.#needsSockets) writer.add(close(SCRIPT_SOCKET), CHILD_EDGES);
  }

  tie(writer: ProgramWriter): void {
    const { deathSignal, processes } = this.#plan;
    if (deathSignal === 0) return;
    writer.add(prctl(PR_SET_PDEATHSIG, deathSignal), CHILD_EDGES);
    // No signal is sent if the parent died between the clone and this prctl.
    const { thread } = this.#facts;
    const sharesWord = this.sharesMemory &&
      !processes.some((process) => copiesMemory(process, this.#shape));
    if (thread !== undefined && sharesWord) {
      const alive = compareWord(new Named(thread.address, "&tid"), new Named(thread.id, "tid"));
      writer.add(alive, { ...CHILD_EDGES, accept: ["EAGAIN"], onAccepted: EXIT_CHILD });
    } else {
      // The pidfd is readable after the last thread has exited; a parent that has just re-parented
      // its children is missed.
      const gone = ppoll([{ fd: SCRIPT_PIDFD, events: POLLIN }], 0);
      writer.add(gone, { ...CHILD_EDGES, onSuccess: EXIT_CHILD });
    }
  }

  beforeExec(writer: ProgramWriter): void {
    this.guard.renew(writer);
  }

  exec(
    writer: ProgramWriter,
    { paths }: LaunchShape,
    image: number | undefined,
  ): readonly ExecCandidate[] {
    if (image !== undefined) return findThenExec(writer, paths, image);
    return tryExec(writer, paths, this.#plan.notifier === undefined ? undefined : unobserved);
  }
}
