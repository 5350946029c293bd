/**
 * The interface of a frame: the part of a launch's program around the processes of the container.
 * It makes the first of them.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
import type { Label } from "../ffi/engine/program.ts";
import type { ExecCandidate } from "./exec_candidates.ts";
import type { ProgramWriter } from "./program_writer.ts";
import type { LaunchShape } from "./shape.ts";

/** The part of a launch's program around the processes of the container. */
export interface Frame {
  /** Whether the parent blocks until the program runs: `CLONE_VFORK`. */
  readonly vfork: boolean;
  /** Whether the first process shares the parent's memory: `CLONE_VM`. */
  readonly sharesMemory: boolean;
  /** Whether the first clone resets signal handlers: `CLONE_CLEAR_SIGHAND`. */
  readonly clearsHandlers: boolean;
  /** Writes the calls of the parent, including the clone of the first process. */
  enclose(writer: ProgramWriter, clone: Call, firstProcess: Label): void;
  /** Writes the first calls of the first process. */
  begin(writer: ProgramWriter): void;
  /** Writes the calls of a process beside the container. */
  aside?(writer: ProgramWriter): void;
  /** Writes the calls by which a process ends with its parent. */
  tie(writer: ProgramWriter): void;
  /** Writes the last calls of the program's process, after its ids have changed. */
  beforeExec(writer: ProgramWriter): void;
  /**
   * Writes the calls that execute the program, and returns them.
   *
   * @param image the number of the executable that runs in its place, if there is one
   */
  exec(
    writer: ProgramWriter,
    shape: LaunchShape,
    image: number | undefined,
  ): readonly ExecCandidate[];
}
