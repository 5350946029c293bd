/**
 * Ends a launch that takes too long. The script's thread sleeps until the program runs, and the
 * container may wait for what never answers. So a process beside both watches, on their memory.
 *
 * A timer of the container's own would not do: the kernel drops a timer's SIGKILL that is for PID 1 of
 * a pid namespace (sig_task_ignored(), kernel/signal.c), and a signal of an outer namespace it does not.
 *
 * @module
 */

import { type Call, Output, OutputField, Struct } from "../ffi/call.ts";
import { clone, CLONE_FILES, CLONE_VM } from "../ffi/calls/namespaces.ts";
import {
  exit_group,
  getpid,
  kill,
  P_PID,
  POLLIN,
  ppoll,
  SIGNALS,
  tgkill,
  waitid,
  WEXITED,
} from "../ffi/calls/processes.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { Label } from "../ffi/engine/program.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { PROCESS_LIMIT } from "../plan/fixes.ts";
import type { ProcessPlan } from "../plan/process.ts";
import type { ProgramWriter } from "./program_writer.ts";
import { reap } from "./reap.ts";
import { LIMIT_NANOSECONDS, LIMIT_SECONDS, SCRIPT_PIDFD } from "./slots.ts";

/** The process that watches one launch. */
export class LaunchWatch {
  readonly #pid = new Output(4, "&watch");
  readonly #begins = new Label("the watch");
  readonly #ends = new Label("the watch ends");
  /** Waits until the time is over, or the script has ended. */
  readonly #wait: Call = ppoll([{ fd: SCRIPT_PIDFD, events: POLLIN }], TIME_LIMIT);
  /** Leaves a mark in the table when the time is over: a result that is not 0. */
  readonly #mark: Call = getpid();

  /** Writes the call of the script that starts it, with signals blocked. */
  start(writer: ProgramWriter, onFailure: Label): void {
    // With the script's table of descriptors, and not a copy of it that would hold them open.
    writer.add(clone(CLONE_VM | CLONE_FILES, this.#pid), {
      onZero: this.#begins,
      onFailure,
      fixes: { EAGAIN: PROCESS_LIMIT },
    });
  }

  /** Writes the calls of the script that end it, with signals still blocked. */
  stop(writer: ProgramWriter): void {
    const pid = new OutputField(this.#pid, 0, "watch");
    writer.add(kill(pid, SIGNALS.SIGKILL));
    writer.add(waitid(P_PID, pid, null, WEXITED));
  }

  /** Writes its own calls. */
  write(writer: ProgramWriter, plan: PlanBuilder): void {
    const ends = { onFailure: this.#ends };
    writer.place(this.#begins);
    writer.add(this.#wait, { ...ends, onSuccess: this.#ends });
    writer.add(this.#mark, ends);
    for (const { pid } of childrenOf(plan)) {
      // Not kill(2), for which 0 is a group of processes: the script's own.
      const child = new OutputField(pid, 0, "pid");
      writer.add(tgkill(child, child, SIGNALS.SIGKILL), { ...ends, accept: ["EINVAL", "ESRCH"] });
    }
    writer.place(this.#ends);
    writer.add(exit_group(0));
  }

  /** Ends it from outside of the launch's program. */
  end(result: RunResult): void {
    const pid = result.output(this.#pid).getInt32(0, true);
    if (pid === 0) return;
    syscall(kill(pid, SIGNALS.SIGKILL));
    reap(pid);
  }

  /** Whether it has ended the launch. */
  hasEndedLaunch(result: RunResult): boolean {
    return result.result(this.#mark) > 0n;
  }
}

/** The time that a launch may take: struct timespec. */
const TIME_LIMIT = new Struct(new Uint8Array(16), "&limit", [], [
  { offset: 0, slot: LIMIT_SECONDS },
  { offset: 8, slot: LIMIT_NANOSECONDS },
]);

/** Returns the processes that are children of the script; those after an init are the init's. */
export function childrenOf({ processes }: PlanBuilder): readonly ProcessPlan[] {
  const init = processes.findIndex(({ then }) => then === "init");
  return init === -1 ? processes : processes.slice(0, init + 1);
}
