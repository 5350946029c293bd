/**
 * Processes beside the script, which work on the script's memory and outlive it if they have to.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { close_range, dup3 } from "../ffi/calls/files.ts";
import { clone, CLONE_VM } from "../ffi/calls/namespaces.ts";
import {
  exit_group,
  kill,
  P_PID,
  rt_sigprocmask,
  SIGNALS,
  waitid,
  WEXITED,
} from "../ffi/calls/processes.ts";
import { engine, place, RunResult } from "../ffi/engine/engine.ts";
import type { Memory } from "../ffi/engine/memory.ts";
import { assemble, END, Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { SyscallError } from "../ffi/errors.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { PROCESS_LIMIT } from "../plan/fixes.ts";

/** Where the calls of a helper process jump to end it. */
export const HELPER_ENDS: Label = new Label("the helper process ends");

/** A process that makes calls beside the script. */
export class HelperProcess {
  readonly #memory: Memory;
  readonly #result: RunResult;
  readonly #pid: number;

  /**
   * Starts it, with all signals blocked.
   *
   * @param descriptors those that it has open, in its calls by their positions
   * @param work its calls; after the last of them it ends
   * @param first calls that it makes before, with all descriptors of the script still open
   * @throws {SyscallError} `EAGAIN` at the limit of processes
   */
  constructor(
    descriptors: readonly number[],
    work: readonly (ProgramRecord | Label)[],
    first: readonly ProgramRecord[] = [],
  ) {
    const [pid, mask] = [new Output(4, "&pid"), new Output(8, "&mask")];
    const [child, restoring] = [new Label("helper process"), new Label("restoring")];
    const program = assemble([
      // A signal handler of the script must not run in the process, which shares the memory.
      { call: rt_sigprocmask("all", mask) },
      { call: clone(CLONE_VM, pid), onZero: child, onFailure: restoring },
      restoring,
      { call: rt_sigprocmask(mask, null), onZero: END },
      child,
      ...first,
      // EINVAL: it has this number already.
      ...descriptors.map((fd, index) => ({
        call: dup3(fd, index, 0),
        accept: ["EINVAL"] as const,
        onFailure: HELPER_ENDS,
      })),
      { call: close_range(descriptors.length, 0xffff_ffff, 0), onFailure: HELPER_ENDS },
      ...work,
      HELPER_ENDS,
      { call: exit_group(0) },
    ], engine().architecture);
    this.#memory = engine().allocate(program.bytes.length);
    place(program, this.#memory);
    const errno = engine().runIn(this.#memory);
    this.#result = new RunResult(program, this.#memory.view);
    this.#pid = this.#result.output(pid).getInt32(0, true);
    if (this.#pid !== 0) return;
    engine().release(this.#memory);
    throw new SyscallError({ syscall: "clone", errno, hint: PROCESS_LIMIT });
  }

  /** Kills it, and returns as {@linkcode wait}. */
  kill(): RunResult {
    syscall(kill(this.#pid, SIGNALS.SIGKILL));
    return this.wait();
  }

  /**
   * Waits until it has ended, while the script's thread blocks. Returns what its calls have left
   * behind.
   */
  wait(): RunResult {
    const again = new Label("again");
    const call = waitid(P_PID, this.#pid, null, WEXITED);
    syscalls([again, { call, accept: ["EINTR"], onAccepted: again }]);
    const result = this.#result.copy();
    engine().release(this.#memory);
    return result;
  }
}
