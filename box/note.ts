/**
 * The note of a box, by which it can be judged before it is run.
 *
 * @module
 */

import { noteIn } from "../ffi/elf_note.ts";
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
  /** Where the program begins; the root if it is left out. */
  readonly cwd?: "caller";
  /** The version of Ramekin that has built it. */
  readonly version: string;
}

/**
 * Returns the note of a box, by which it can be judged before it is run; `undefined` if the file is
 * none. Whoever writes a file can give it any note: {@linkcode isBoxOf} compares the two.
 *
 * @throws {SyntaxError} if the note is damaged
 *
 * @example
 * ```ts
 * import { recipe, umask } from "@ramekin/ramekin";
 * import { buildBox, readBoxNote } from "@ramekin/ramekin/box";
 * import { assertEquals } from "@std/assert";
 *
 * const file = buildBox(recipe(umask(0o77)), { program: ["make"] });
 * assertEquals(readBoxNote(file)?.recipe.steps, [{ step: "umask", mask: 0o77 }]);
 * ```
 */
export function readBoxNote(file: Uint8Array): BoxNote | undefined {
  const text = noteIn(file);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Returns the note as JSON. */
export function noteText(note: BoxNote): string {
  return JSON.stringify(note);
}
