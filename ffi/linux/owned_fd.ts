/**
 * Descriptors that are closed at the end of their scope.
 *
 * @module
 */

import * as calls from "../calls/files.ts";
import { syscall } from "../syscalls.ts";
import { type ProcessIdentity, processIdentity } from "../proc/process_identity.ts";

/** The descriptor of an open file: its number, or the result of an `open`. */
export type Fd = number | OwnedFd;

/**
 * A descriptor that is closed at the end of its scope.
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assert } from "@std/assert";
 *
 * using root = linux.open("/", linux.O_PATH | linux.O_CLOEXEC);
 * assert(root.number > 2);
 * root.close(); // sooner than at the end of its scope
 * ```
 */
export class OwnedFd implements Disposable {
  #number: number | undefined;

  /** Takes over an open descriptor. */
  constructor(number: number) {
    this.#number = number;
  }

  /**
   * Its number, while it is open.
   *
   * @throws {TypeError} if it is closed
   */
  get number(): number {
    if (this.#number === undefined) throw new TypeError("the descriptor is closed");
    return this.#number;
  }

  /**
   * The process of a pidfd: see {@linkcode processIdentity}.
   *
   * @example
   * ```ts
   * import { linux } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * using self = linux.pidfd_open(Deno.pid);
   * assertEquals(self.identity.pid, Deno.pid);
   * ```
   *
   * @throws {TypeError} for the descriptor of anything but a process, or of one that has ended
   * @throws {SyscallError} `ENOENT` where the process has ended
   * @throws {UnsupportedError} where /proc is of another pid namespace
   */
  get identity(): ProcessIdentity {
    return processIdentity(this);
  }

  /** Closes it, unless it is closed. */
  close(): void {
    const number = this.#number;
    if (number === undefined) return;
    // The number is free even if close(2) fails, and may be another file's by then.
    this.#number = undefined;
    syscall(calls.close(number));
  }

  /** Closes it at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Returns the number of a descriptor.
 *
 * @throws {TypeError} if it is an {@linkcode OwnedFd} that is closed
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * using root = linux.open("/", linux.O_PATH | linux.O_CLOEXEC);
 * assertEquals(linux.raw(root), linux.raw(root.number));
 * ```
 */
export function raw(fd: Fd): number {
  return typeof fd === "number" ? fd : fd.number;
}
