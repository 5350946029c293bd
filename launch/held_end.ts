/**
 * The end of a process that the script is not told. Who traces a process, as a program in its container
 * may, gets its status first, and the script only when the tracer has waited for it, or has ended
 * (ptrace(2), "Death under ptrace").
 *
 * @module
 */

import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { rest } from "../ffi/rest.ts";

/** How long the script waits for what a program of a container may hold up, in milliseconds. */
export const PATIENCE = 30_000;
/** How long it rests before it looks again. */
const REST = 10;

/** Waits for the status of a process that has ended, but not for ever. */
export class HeldEnd {
  readonly #patience: number;
  #since: number | undefined;

  /** A wait of 30 seconds, unless another time is given. */
  constructor(patience: number = PATIENCE) {
    this.#patience = patience;
  }

  /** Whether the time is over, which begins when this is asked first. */
  get isOver(): boolean {
    this.#since ??= performance.now();
    return performance.now() - this.#since > this.#patience;
  }

  /** Blocks the script's thread for a moment. */
  rest(): void {
    rest(REST);
  }

  /** Resolves after a moment. */
  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, REST));
  }

  /** The error of a process whose status was not told in time. */
  get error(): SyscallError {
    return new SyscallError({
      syscall: "waitid",
      errno: ERRNO.ETIMEDOUT,
      hint:
        "it has ended, but what traces it (ptrace) keeps its status: a debugger, or a program of " +
        "its container; end that",
    });
  }
}
