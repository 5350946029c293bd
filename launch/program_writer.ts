/**
 * The program of a launch while it is written.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import { type Edges, END, type Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { EXIT_CHILD } from "../plan/process.ts";

/** The part of a launch that a call belongs to, if it belongs to no step. */
export type Section =
  | "clone"
  | "begin"
  | "limits"
  | "program"
  | "init"
  | "script"
  /** Restores the state of the script from before the launch. */
  | "restore"
  /** Ends a launch that takes too long. */
  | "watch"
  | "failure";

/** A call of a launch. */
export interface LaunchRecord extends ProgramRecord {
  /** The part of the launch that it belongs to, if it belongs to no step. */
  readonly section?: Section;
  /** The position of its step, if it belongs to one. */
  readonly stepIndex?: number | undefined;
  readonly fixes?: LazyFixes | undefined;
  /** Whether it is for a file that the plan has found by a search. */
  readonly isFound?: boolean;
}

/** The edges of calls of the container: a failure exits the process, and the script reads which. */
export const CHILD_EDGES: Edges = { onFailure: EXIT_CHILD };

/** The program of a launch while it is written. */
export class ProgramWriter {
  readonly parts: (LaunchRecord | Label)[] = [];
  section: Section = "script";

  /** Adds a call of the current section. */
  add(call: Call, options: Omit<LaunchRecord, "call" | "section"> = {}): Call {
    this.parts.push({ call, section: this.section, ...options });
    return call;
  }

  /** Adds a call or label of a step. */
  part(part: LaunchRecord | Label): void {
    const isWhole = !("call" in part) || part.onFailure !== undefined;
    this.parts.push(isWhole ? part : { ...CHILD_EDGES, ...part });
  }

  /** Places a label, to which edges of other calls can jump. */
  place(label: Label): void {
    this.parts.push(label);
  }

  /** Ends the walk of a process of the container after its last call, unless that fails. */
  endProcess(): void {
    const last = this.parts.pop() as LaunchRecord;
    this.parts.push({ ...last, onZero: END, onAccepted: END, onSuccess: END });
  }

  /** Ends the program after the last call, on all edges but these. */
  end(edges: Edges = {}): void {
    const last = this.parts.pop() as LaunchRecord;
    const ends = { onZero: END, onAccepted: END, onFailure: END, onSuccess: END };
    this.parts.push({ ...last, ...ends, ...edges });
  }
}
