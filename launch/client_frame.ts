/**
 * The frame of a launch whose launcher is another process, of one thread and with no other work: a
 * client, which walks the program on memory that it shares with this one. The container is its child,
 * and inherits from it.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
import {
  PR_SET_DUMPABLE,
  prctl,
  rt_sigaction,
  rt_sigprocmask,
  SIGNALS,
  SIGRTMIN,
} from "../ffi/calls/processes.ts";
import { END, type Label } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { type ExecCandidate, findThenExec } from "./exec_candidates.ts";
import type { Frame } from "./frame.ts";
import { firstCloneFixes } from "./link.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";
import type { LaunchShape } from "./shape.ts";

/** The last real-time signal (signal(7)). */
const SIGRTMAX = 64;

/** Returns why a client cannot launch a plan; `undefined` if it can. */
export function clientIssue(plan: PlanBuilder): string | undefined {
  if (plan.syncPoints.length > 0) return "the container waits for the script";
  if (plan.processes.length > 1 || plan.process.ownMemory) return "it takes several processes";
  if (plan.limits !== undefined || plan.placeholders.length > 0) return "the script makes files";
  if (plan.listener !== undefined || plan.notifier !== undefined || plan.console !== undefined) {
    return "the script gets a descriptor";
  }
  if (plan.deathSignal !== 0 || plan.state.stoppable) return "the script watches it";
  return undefined;
}

/** The frame of a client's launch. */
export class ClientFrame implements Frame {
  readonly vfork = true;
  readonly sharesMemory = true;
  readonly clearsHandlers = false;
  readonly #plan: PlanBuilder;

  /** @param plan one that {@linkcode clientIssue} has nothing against */
  constructor(plan: PlanBuilder) {
    this.#plan = plan;
  }

  enclose(writer: ProgramWriter, clone: Call, firstProcess: Label): void {
    writer.section = "script";
    // Who sees the container could open the client's executable by /proc/PID/exe (CVE-2019-5736).
    if (this.#plan.state.exposed) writer.add(prctl(PR_SET_DUMPABLE, 0), { onFailure: END });
    writer.add(rt_sigprocmask("all", null), { onFailure: END });
    writer.section = "clone";
    writer.add(clone, {
      onZero: firstProcess,
      onFailure: END,
      stepIndex: this.#plan.cloneStep,
      fixes: () => firstCloneFixes(this.#plan),
    });
    writer.end({ onZero: firstProcess });
  }

  begin(writer: ProgramWriter): void {
    // The client has no handlers. What its caller ignores stays so, as in every launch, but for what
    // runtimes ignore for themselves.
    const { SIGPIPE, SIGCHLD } = SIGNALS;
    for (const signal of [SIGPIPE, SIGCHLD]) {
      writer.add(rt_sigaction(signal, "SIG_DFL"), CHILD_EDGES);
    }
    for (let signal = SIGRTMIN; signal <= SIGRTMAX; signal++) {
      writer.add(rt_sigaction(signal, "SIG_DFL"), CHILD_EDGES);
    }
  }

  /** Does nothing: such a container does not end with its launcher. */
  tie(): void {}

  /** Does nothing: the client has no memory to be guarded. */
  beforeExec(): void {}

  exec(
    writer: ProgramWriter,
    { paths }: LaunchShape,
    image: number | undefined,
  ): readonly ExecCandidate[] {
    if (image === undefined) throw new TypeError("a client runs an image in place of the program");
    return findThenExec(writer, paths, image);
  }
}
