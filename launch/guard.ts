/**
 * Processes that wait for the end of another one, to undo what the script can no longer undo if it
 * is killed.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { close_range } from "../ffi/calls/files.ts";
import { clone, CLONE_VM } from "../ffi/calls/namespaces.ts";
import {
  exit_group,
  kill,
  P_PID,
  POLLIN,
  ppoll,
  rt_sigprocmask,
  setsid,
  SIGNALS,
  waitid,
  WEXITED,
} from "../ffi/calls/processes.ts";
import { engine, place } from "../ffi/engine/engine.ts";
import type { Memory } from "../ffi/engine/memory.ts";
import { assemble, END, Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { syscall } from "../ffi/syscalls.ts";

/** What a guard does. */
export interface GuardDuty {
  /** The pidfd of the process whose end it waits for. */
  readonly pidfd: number;
  /** The descriptors of the script that its calls use. */
  readonly uses: readonly number[];
  /** The calls that it makes then. */
  readonly calls: readonly (ProgramRecord | Label)[];
}

/** A process that shares the script's memory, and outlives it by its calls. */
export class Guard {
  readonly #memory: Memory;
  readonly #pid: number;

  constructor({ pidfd, uses, calls }: GuardDuty) {
    const [pid, mask] = [new Output(4, "&pid"), new Output(8, "&mask")];
    const [child, ended] = [new Label("guard"), new Label("guard ends")];
    const program = assemble([
      // A signal handler of the script must not run in the guard, which shares the memory.
      { call: rt_sigprocmask("all", mask) },
      { call: clone(CLONE_VM, pid), onZero: child },
      { call: rt_sigprocmask(mask, null), onZero: END },
      child,
      { call: setsid(), onFailure: ended },
      ...closingOthers([pidfd, ...uses]).map((call) => ({ call, onFailure: ended })),
      { call: ppoll([{ fd: pidfd, events: POLLIN }], undefined), onFailure: ended },
      ...calls.map((part) => "call" in part ? { ...part, onFailure: ended } : part),
      ended,
      { call: exit_group(0) },
    ], engine().architecture);
    this.#memory = engine().allocate(program.bytes.length);
    place(program, this.#memory);
    engine().runIn(this.#memory);
    this.#pid = this.#memory.view.getInt32(program.outputs.get(pid)!, true);
  }

  /** Ends the guard: the script has undone it itself. */
  dismiss(): void {
    syscall(kill(this.#pid, SIGNALS.SIGKILL));
    syscall(waitid(P_PID, this.#pid, null, WEXITED));
    engine().release(this.#memory);
  }
}

/** Closes all descriptors but these: an end of a pipe that stays open here would never end there. */
function closingOthers(kept: readonly number[]): ReturnType<typeof close_range>[] {
  const calls: ReturnType<typeof close_range>[] = [];
  let first = 0;
  for (const fd of [...new Set(kept)].sort((a, b) => a - b)) {
    if (fd > first) calls.push(close_range(first, fd - 1, 0));
    first = fd + 1;
  }
  return [...calls, close_range(first, 0xffff_ffff, 0)];
}
