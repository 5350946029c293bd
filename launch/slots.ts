/**
 * Descriptors that the script opens for one launch, and the container inherits.
 *
 * @module
 */

import type { Output } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { SyscallProgram } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { stepError } from "./explain.ts";

/** Open descriptors, by the memory that their numbers belong in. */
export type SlotValues = ReadonlyMap<Output, number>;

/**
 * Opens what the steps have asked for.
 *
 * @throws {SyscallError} naming the step; then nothing is open
 */
export function openInheritedFds(plan: PlanBuilder): SlotValues {
  const descriptors = new Map<Output, number>();
  for (const { call, descriptor, check, stepIndex } of plan.inheritedFds) {
    try {
      descriptors.set(descriptor, syscall(call));
      check?.();
    } catch (error) {
      closeInheritedFds(descriptors);
      throw stepError(error, plan, stepIndex);
    }
  }
  return descriptors;
}

/** Writes the numbers into a program that does not run. */
export function bindSlots(program: SyscallProgram, descriptors: SlotValues): void {
  const { bytes, outputs } = program;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [output, number] of descriptors) {
    const at = outputs.get(output);
    if (at !== undefined) view.setInt32(at, number, true);
  }
}

/** Closes them; the container has its own by now. */
export function closeInheritedFds(descriptors: SlotValues): void {
  for (const number of descriptors.values()) syscall(close(number));
}
