/**
 * The note of a box, by which it can be judged before it is run.
 *
 * @module
 */

import { noteIn } from "./elf.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import type { TargetUser } from "../host/target_host.ts";
import type { Step } from "../recipe/steps.ts";

/** What a box says of itself. */
export interface BoxNote {
  readonly recipe: { readonly steps: readonly Step[] };
  /** The program and its first arguments. */
  readonly program: readonly string[];
  readonly architecture: Architecture;
  /** Who may run it. */
  readonly for: TargetUser;
}

/** Returns the note of a box; `undefined` if the file is none. */
export function readBoxNote(file: Uint8Array): BoxNote | undefined {
  const text = noteIn(file);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Returns the note as JSON. */
export function noteText(note: BoxNote): string {
  return JSON.stringify(note);
}
