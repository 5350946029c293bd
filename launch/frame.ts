/**
 * What stands around the processes of a container in a program: whoever makes the first of them, and
 * what this one does before anything else.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
import type { Label } from "../ffi/engine/program.ts";
import type { ProgramWriter } from "./program_writer.ts";

/** The surroundings of a container in a program. */
export interface Frame {
  /** Whether the maker sleeps until the program runs: `CLONE_VFORK`. */
  readonly vfork: boolean;
  /** Whether the first process shares the maker's memory, and has no copy of it: `CLONE_VM`. */
  readonly sharesMemory: boolean;
  /** Whether the first clone resets the handlers of signals: `CLONE_CLEAR_SIGHAND`. */
  readonly clearsHandlers: boolean;
  /** Writes what the maker does, with the call that makes the first process among it. */
  enclose(writer: ProgramWriter, clone: Call, firstProcess: Label): void;
  /** Writes what the first process does before anything else. */
  begin(writer: ProgramWriter): void;
  /** Writes what has a process end when the maker ends. */
  tie(writer: ProgramWriter): void;
  /** Writes what the program's process does for its makers once it has its ids. */
  beforeExec(writer: ProgramWriter): void;
}
