/**
 * Guards the script's memory, which a container shares until its program runs. A process that can
 * see the container must not access that memory, nor overwrite the script's program by
 * /proc/PID/exe (CVE-2019-5736). The kernel denies both to other users and user namespaces while
 * the memory is undumpable (prctl(2), ptrace(2)).
 *
 * The flag belongs to the whole process, Workers included. So a launch saves and restores it under
 * a lock of the process, and a launch that fails while it is set waits for the lock too. A
 * container that waits to be started has a copy of the memory with a flag of its own.
 *
 * @module
 */

import { type Call, ResultOf } from "../ffi/call.ts";
import { PR_GET_DUMPABLE, PR_SET_DUMPABLE, prctl } from "../ffi/calls/processes.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { Label } from "../ffi/engine/program.ts";
import { LOCKLESS, lockProcess, unlockProcess } from "../ffi/process_lock.ts";
import { syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";
import type { LaunchShape } from "./shape.ts";

/** The calls of a launch that guard the script's memory. */
export class MemoryGuard {
  /** Whether untrusted processes can see the container during setup. */
  readonly #exposed: boolean;
  /** Whether the program can see another process of the container, which shares the memory. */
  readonly #overlaps: boolean;
  readonly #sharesMemory: boolean;
  readonly #locks: boolean;
  readonly #saves: boolean;
  /** Whether the launch's program restores the flag, and not the script after it. */
  readonly #restoresItself: boolean;
  #saved: Call | undefined;
  readonly #unlocking = new Label("unlocking");

  /** @param frame whether the script blocks until the program runs, and shares its memory */
  constructor(
    plan: PlanBuilder,
    shape: LaunchShape,
    frame: { readonly vfork: boolean; readonly sharesMemory: boolean },
  ) {
    // Files of /proc/self are owned by root while the process is undumpable (proc(5)).
    const needsDumpable = plan.opensProcSelf;
    const changes = frame.sharesMemory && changesDumpability(plan, shape);
    this.#exposed = plan.state.exposed;
    this.#overlaps = plan.processes.length > 1;
    this.#sharesMemory = frame.sharesMemory;
    this.#locks = changes || needsDumpable;
    this.#saves = changes || (needsDumpable && frame.sharesMemory && !frame.vfork);
    this.#restoresItself = frame.vfork || !this.#saves;
  }

  /** Writes the calls before the first clone; a failure jumps to the label. */
  raise(writer: ProgramWriter, onFailure: Label): void {
    if (!this.#locks) return;
    writer.add(lockProcess(), { accept: LOCKLESS, onFailure });
    if (!this.#saves) return;
    const edges = { onFailure: this.#restoresItself ? this.#unlocking : onFailure };
    this.#saved = writer.add(prctl(PR_GET_DUMPABLE), edges);
    if (this.#exposed) writer.add(prctl(PR_SET_DUMPABLE, 0), edges);
  }

  /** Writes the calls that restore the flag, unless the container still shares the memory then. */
  lower(writer: ProgramWriter): void {
    if (!this.#locks || !this.#restoresItself) return;
    if (this.#saved !== undefined) {
      const dumpable = new ResultOf(this.#saved, "dumpable");
      const edges = { accept: ["EINVAL"], onFailure: this.#unlocking } as const;
      writer.add(prctl(PR_SET_DUMPABLE, dumpable), edges);
    }
    const unlocked = new Label("unlocked");
    writer.place(this.#unlocking);
    writer.add(unlockProcess(), { accept: LOCKLESS, onFailure: unlocked });
    writer.place(unlocked);
  }

  /** Restores the flag when no process of the container shares the memory any longer. */
  restore(result: RunResult): void {
    if (this.#saved === undefined || this.#restoresItself) return;
    const dumpable = Number(result.result(this.#saved));
    const restoring = prctl(PR_SET_DUMPABLE, dumpable);
    syscalls([
      // A launch that failed before PR_GET_DUMPABLE has recorded 0 or an error.
      ...(dumpable > 0 ? [{ call: restoring, accept: ["EINVAL"] as const }] : []),
      { call: unlockProcess(), accept: LOCKLESS },
    ]);
  }

  /** Writes the call that guards a first process with a copy of the memory. */
  begin(writer: ProgramWriter): void {
    if (this.#sharesMemory || !this.#exposed) return;
    writer.add(prctl(PR_SET_DUMPABLE, 0), CHILD_EDGES);
  }

  /**
   * Writes the call that sets the flag again before the program, because a change of ids sets it to
   * the value of the sysctl fs.suid_dumpable (prctl(2)). It matters if another process shares the
   * memory, or this one waits with its copy.
   */
  renew(writer: ProgramWriter): void {
    if (this.#overlaps || !this.#sharesMemory) writer.add(prctl(PR_SET_DUMPABLE, 0), CHILD_EDGES);
  }
}

/**
 * Whether the launch changes the flag: because untrusted processes can see the container, because
 * the program can see its parent, or by a change of ids.
 */
function changesDumpability(plan: PlanBuilder, shape: LaunchShape): boolean {
  return plan.state.exposed || plan.processes.length > 1 || shape.uid || shape.gid ||
    changesIds(plan);
}

function changesIds(plan: PlanBuilder): boolean {
  return plan.processes.some(({ parts }) =>
    parts.some((part) =>
      "call" in part && (part.call.name === "setresuid" || part.call.name === "setresgid")
    )
  );
}
