/**
 * The processes that a launch makes up to the program.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import type { Call } from "../ffi/call.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import type { LazyFixes } from "../ffi/fix.ts";

/** A call of a step with its edges. */
export interface PlannedRecord extends ProgramRecord {
  /** The position of the step that makes it. */
  readonly stepIndex: number;
  readonly fixes: LazyFixes | undefined;
  /** Whether it is for a file that the plan has found by a search. */
  readonly isFound?: boolean;
}

/** A call of a step without edges. */
export type PlannedCall = Pick<PlannedRecord, "stepIndex" | "fixes" | "accept"> & {
  readonly call: Call;
};

/**
 * The calls of one process. A recipe needs another process for a namespace that only the children
 * of a process enter (pid_namespaces(7)), and for its init.
 */
export interface ProcessPlan {
  readonly parts: (PlannedRecord | Label)[];
  /** The pid, in the pid namespace of the parent. */
  readonly pid: Output;
  /** What the process does after its calls: execute the program, exit, or become the init. */
  then: "exec" | "exit" | "init";
  /** Whether it has a copy of its parent's memory instead of sharing it. */
  ownMemory: boolean;
}

/** Returns a process without calls. */
export function newProcess(): ProcessPlan {
  return { parts: [], pid: new Output(4, "&pid"), then: "exec", ownMemory: false };
}

/** Jump target: exits the child silently. */
export const EXIT_CHILD: Label = new Label("give up");
