/**
 * The program of a launch while it is written.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
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

/** How calls of the container fail: the process ends, and the script reads what failed. */
export const CHILD_EDGES: Edges = { onFailure: EXIT_CHILD };

/** The program of a launch while it is written. */
export class ProgramWriter {
  readonly parts: (ProgramRecord | Label)[] = [];
  readonly sections: Map<Call, Section> = new Map();
  section: Section = "script";

  /** Adds a call of the section. */
  add(call: Call, edges: Edges = {}): Call {
    this.parts.push({ call, ...edges });
    this.sections.set(call, this.section);
    return call;
  }

  /** Adds what a step has written. */
  part(part: ProgramRecord | Label): void {
    this.parts.push("call" in part ? { ...CHILD_EDGES, ...part } : part);
  }

  /** What is added next can be reached from elsewhere. */
  place(label: Label): void {
    this.parts.push(label);
  }

  /** The walk does not go on behind the call that was added last. */
  end(): void {
    const last = this.parts.pop() as ProgramRecord;
    this.parts.push({ ...last, onZero: END, onAccepted: END, onFailure: END, onSuccess: END });
  }
}
