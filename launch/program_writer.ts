/**
 * The program of a launch while it is written.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import { type Edges, END, type Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { EXIT_CHILD } from "../plan/process.ts";

/** The parts of a launch that belong to no step. */
export type Section =
  | "clone"
  | "begin"
  | "limits"
  | "program"
  | "init"
  | "script"
  /** What puts the script back into its state from before. */
  | "restore"
  | "failure";

/** A call of a launch. */
export interface LaunchRecord extends ProgramRecord {
  /** The part of the launch that it belongs to, where it serves no step. */
  readonly section?: Section;
  /** The step that it serves, if it does. */
  readonly stepIndex?: number | undefined;
  /** What its errors mean. */
  readonly fixes?: LazyFixes | undefined;
}

/** How calls of the container fail: the process ends, and the script reads what failed. */
export const CHILD_EDGES: Edges = { onFailure: EXIT_CHILD };

/** The program of a launch while it is written. */
export class ProgramWriter {
  readonly parts: (LaunchRecord | Label)[] = [];
  section: Section = "script";

  /** Adds a call of the section. */
  add(call: Call, options: Omit<LaunchRecord, "call" | "section"> = {}): Call {
    this.parts.push({ call, section: this.section, ...options });
    return call;
  }

  /** Adds what a step has written. */
  part(part: LaunchRecord | Label): void {
    this.parts.push("call" in part ? { ...CHILD_EDGES, ...part } : part);
  }

  /** What is added next can be reached from elsewhere. */
  place(label: Label): void {
    this.parts.push(label);
  }

  /** The walk does not go on behind the call that was added last. */
  end(): void {
    const last = this.parts.pop() as LaunchRecord;
    this.parts.push({ ...last, onZero: END, onAccepted: END, onFailure: END, onSuccess: END });
  }
}
