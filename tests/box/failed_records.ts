/** Boxes in which one record has a number that no system call has. */

import { boxOf } from "../../box/build_box.ts";
import { compileBox } from "../../box/compile_box.ts";
import { recordOffset } from "../../ffi/engine/program.ts";
import type { Recipe } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { BoxFile } from "./support.ts";

/** A number that no system call has. */
export const NO_CALL = 0xffff;

/** How a box has ended in which a call has failed. */
export interface FailedRecord {
  /** The name of the call. */
  readonly name: string;
  /** The call, as errors tell it. */
  readonly text: string;
  readonly code: number;
  readonly stderr: string;
  /** The line that says so. */
  readonly expected: string;
}

/** Runs a box of the container for each call of a step before the program, with that call failing. */
export function* failedRecords(container: Recipe, step: string): Generator<FailedRecord> {
  const target = { architecture: Deno.build.arch, user: "user", keepsDirectory: true } as const;
  const whole = compileBox(container.steps, target);
  const options = { program: ["/bin/true"] };
  using file = new BoxFile(container, options);
  const ends = whole.program.calls.indexOf(whole.after!);
  for (const [index, call] of whole.program.calls.entries()) {
    const text = whole.texts[index]!;
    if (!text.startsWith(step) || index >= ends) continue;
    const bytes = whole.program.bytes.slice();
    new DataView(bytes.buffer).setInt32(recordOffset(index), NO_CALL, true);
    const program = { ...whole.program, bytes };
    Deno.writeFileSync(file.path, boxOf({ ...whole, program }, container.steps, options));
    const { code, stderr } = new Deno.Command(file.path, { stdin: "null" }).outputSync();
    const errno = call.verdict === undefined ? "ENOSYS" : "EINVAL";
    const expected = `box: ${text} failed: ${errno}\n`;
    yield { name: call.name, text, code, stderr: decode(stderr), expected };
  }
}
