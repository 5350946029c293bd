/**
 * The guard of the script's memory, which a container shares until its program runs. A process that
 * can see the container must not get at that memory meanwhile, nor at the script's program by
 * /proc/PID/exe (CVE-2019-5736): the kernel keeps both from other users' processes and from other
 * user namespaces while the memory is undumpable (prctl(2)).
 *
 * That holds for the whole process, Workers included. So it is saved and restored under a lock of
 * the process, and a launch that an undumpable process cannot make waits for the lock too. A
 * container that waits to be started has a copy of the memory, and is undumpable by itself.
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

/** What a launch does about it. */
export class MemoryGuard {
  /** Whether untrusted processes can see the container while it is made. */
  readonly #exposed: boolean;
  /** Whether a process of the container goes on, on its maker's memory, in the program's sight. */
  readonly #overlaps: boolean;
  readonly #sharesMemory: boolean;
  readonly #locks: boolean;
  readonly #saves: boolean;
  /** Whether the program of the launch restores everything, and the script need not. */
  readonly #restoresItself: boolean;
  #saved: Call | undefined;
  readonly #unlocking = new Label("unlocking");

  /** @param maker whether the script sleeps until the program runs, and shares its memory */
  constructor(
    plan: PlanBuilder,
    shape: LaunchShape,
    maker: { readonly vfork: boolean; readonly sharesMemory: boolean },
  ) {
    // What is opened of /proc/self is root's while the process is undumpable (proc(5)).
    const suffers = plan.opensProcSelf;
    const changes = maker.sharesMemory && changesDumpability(plan, shape);
    this.#exposed = plan.state.exposed;
    this.#overlaps = plan.processes.length > 1;
    this.#sharesMemory = maker.sharesMemory;
    this.#locks = changes || suffers;
    this.#saves = changes || (suffers && maker.sharesMemory && !maker.vfork);
    this.#restoresItself = maker.vfork || !this.#saves;
  }

  /** Writes what the script does before the first process is made; a failure goes on there. */
  raise(writer: ProgramWriter, onFailure: Label): void {
    if (!this.#locks) return;
    writer.add(lockProcess(), { accept: LOCKLESS, onFailure });
    if (!this.#saves) return;
    const edges = { onFailure: this.#restoresItself ? this.#unlocking : onFailure };
    this.#saved = writer.add(prctl(PR_GET_DUMPABLE), edges);
    if (this.#exposed) writer.add(prctl(PR_SET_DUMPABLE, 0), edges);
  }

  /** Writes what restores all that, unless the container still runs on the script's memory. */
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

  /** Restores it once no process of the container is on the script's memory any more. */
  restore(result: RunResult): void {
    if (this.#saved === undefined || this.#restoresItself) return;
    const dumpable = Number(result.result(this.#saved));
    const restoring = prctl(PR_SET_DUMPABLE, dumpable);
    syscalls([
      // A launch that has not come as far has left 0, or an errno.
      ...(dumpable > 0 ? [{ call: restoring, accept: ["EINVAL"] as const }] : []),
      { call: unlockProcess(), accept: LOCKLESS },
    ]);
  }

  /** Writes what guards the first process, where it has a copy of the script's memory. */
  begin(writer: ProgramWriter): void {
    if (this.#sharesMemory || !this.#exposed) return;
    writer.add(prctl(PR_SET_DUMPABLE, 0), CHILD_EDGES);
  }

  /**
   * Writes what guards, just before the program, a process that another one overlaps with, or that
   * waits with its copy: ids that change have set the memory dumpable or not, as a sysctl says.
   */
  renew(writer: ProgramWriter): void {
    if (this.#overlaps || !this.#sharesMemory) writer.add(prctl(PR_SET_DUMPABLE, 0), CHILD_EDGES);
  }
}

/**
 * Whether the launch makes the memory undumpable: because untrusted processes can see the
 * container, because the program can see the process that has made it, or by changing ids.
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
