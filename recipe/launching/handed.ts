/**
 * Descriptors that the script opens for one launch, and the container inherits.
 *
 * @module
 */

import type { Output } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import { perform } from "../../ffi/perform.ts";
import type { SyscallProgram } from "../../ffi/program.ts";
import type { Draft } from "../drafting/draft.ts";
import { stepError } from "./explain.ts";

/** Open descriptors, by the memory that their numbers belong in. */
export type HandedDescriptors = ReadonlyMap<Output, number>;

/**
 * Opens what the steps have asked for.
 *
 * @throws {SyscallError} naming the step; then nothing is open
 */
export function openHanded(draft: Draft): HandedDescriptors {
  const descriptors = new Map<Output, number>();
  for (const { call, descriptor, check, stepIndex } of draft.handed) {
    try {
      descriptors.set(descriptor, perform(call));
      check?.();
    } catch (error) {
      closeHanded(descriptors);
      throw stepError(error, draft, stepIndex);
    }
  }
  return descriptors;
}

/** Writes the numbers into a program that does not run. */
export function writeNumbers(program: SyscallProgram, descriptors: HandedDescriptors): void {
  const { bytes, outputs } = program;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [output, number] of descriptors) {
    const at = outputs.get(output);
    if (at !== undefined) view.setInt32(at, number, true);
  }
}

/** Closes them; the container has its own by now. */
export function closeHanded(descriptors: HandedDescriptors): void {
  for (const number of descriptors.values()) perform(close(number));
}
