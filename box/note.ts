/**
 * The note of a box, by which it can be judged before it is run.
 *
 * @module
 */

import { noteIn } from "./elf.ts";
import type { Step } from "../recipe/steps.ts";

/** What a box says of itself. */
export interface BoxNote {
  /** The recipe. */
  readonly recipe: { readonly steps: readonly Step[] };
  /** The program and its first arguments. */
  readonly program: readonly string[];
  /** The processor of its machine. */
  readonly architecture: "x86_64" | "aarch64";
  /** Who may run it. */
  readonly for: "root" | "user";
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
