/**
 * The processes on the way to the program.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import type { Call } from "../ffi/call.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import type { LazyFixes } from "../ffi/fix.ts";

/** A call of a step, with its ways to go on. */
export interface PlannedRecord extends ProgramRecord {
  /** The position of the step that makes it. */
  readonly stepIndex: number;
  /** What its errors mean. */
  readonly fixes: LazyFixes | undefined;
}

/** A call that a step makes, wherever it is made. */
export type PlannedCall = Pick<PlannedRecord, "stepIndex" | "fixes"> & { readonly call: Call };

/**
 * The calls of one process on the way to the program. A recipe needs a further process where one
 * cannot enter a namespace itself, only its children can (pid_namespaces(7)), and for its init.
 */
export interface ProcessPlan {
  readonly parts: (PlannedRecord | Label)[];
  /** Receives the process's pid, as its parent sees it. */
  readonly pid: Output;
  /** What this process does once the next stage has begun: end, or go on as the init. */
  then: "exec" | "exit" | "init";
  /** Whether it has a copy of its maker's memory, and does not share it. */
  ownMemory: boolean;
}

/** A stage that nothing has been written to. */
export function newProcess(): ProcessPlan {
  return { parts: [], pid: new Output(4, "&pid"), then: "exec", ownMemory: false };
}

/** Where a process of the container goes on that has to end without a word. */
export const EXIT_CHILD: Label = new Label("give up");
