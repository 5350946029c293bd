/**
 * The descriptors that the script opens for one launch, and the container inherits.
 *
 * @module
 */

import type { Slot } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { stepError } from "./explain.ts";

/**
 * Opens the descriptors of a plan.
 *
 * @throws {SyscallError} with the step; all descriptors are closed then
 */
export function openInheritedFds(plan: PlanBuilder): ReadonlyMap<Slot, number> {
  const opened = new Map<Slot, number>();
  for (const { call, slot, check, fixes, stepIndex } of plan.inheritedFds) {
    try {
      opened.set(slot, syscall(call, fixes));
      check?.();
    } catch (error) {
      closeInheritedFds(opened);
      throw stepError(error, plan, stepIndex);
    }
  }
  return opened;
}

/** Closes the script's descriptors after the launch; the container has copies. */
export function closeInheritedFds(opened: ReadonlyMap<Slot, number>): void {
  for (const fd of opened.values()) syscall(close(fd));
}
