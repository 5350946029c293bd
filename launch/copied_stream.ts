/**
 * Standard streams that a process beside the script copies through a pipe, so that the program does
 * not get the file itself: whoever has a file open can read and write all of it, whatever it was
 * opened for, by /proc/self/fd, and change its mode (proc(5)).
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import type { Label, ProgramRecord } from "../ffi/engine/program.ts";
import { syscall } from "../ffi/syscalls.ts";
import { HelperProcess } from "./helper_process.ts";

/** A stream that is copied while the program runs. */
export interface CopiedStream {
  /** The program's end of the pipe. */
  readonly theirs: number;
  /** Tells that the program has its end. */
  handOver(): void;
  /**
   * Ends the copying when the program has ended, or was not started.
   *
   * @throws {SyscallError} if the file could not be read or written
   */
  end(): void;
}

/** A write to an eventfd: a number of 64 bits. */
export const ONE: Uint8Array<ArrayBuffer> = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

/** Starts a process that is the only one with this end of the pipe. */
export function startCopying(
  descriptors: readonly number[],
  work: readonly (ProgramRecord | Label)[],
  end: number,
): HelperProcess {
  try {
    return new HelperProcess(descriptors, work);
  } finally {
    syscall(close(end));
  }
}

/** Returns what the function makes with a descriptor, which is closed if it throws. */
export function closingOnFailure<T>(fd: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    syscall(close(fd));
    throw error;
  }
}
