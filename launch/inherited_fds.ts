/**
 * The descriptors that the script opens for one launch, and the container inherits.
 *
 * @module
 */

import { type Call, ResultOf, type Slot } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_IDMAP,
  mount_setattr,
} from "../ffi/calls/mounts.ts";
import { Label } from "../ffi/engine/program.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { MountIdMap } from "../plan/parent_work.ts";
import { stepError } from "./explain.ts";

/**
 * Opens the descriptors of a plan.
 *
 * @param openNamespace opens a user namespace with these id maps
 * @throws {SyscallError} with the step; all descriptors are closed then
 */
export function openInheritedFds(
  plan: PlanBuilder,
  openNamespace: (map: MountIdMap) => number,
): ReadonlyMap<Slot, number> {
  const opened = new Map<Slot, number>();
  for (const { call, slot, through, check, fixes, idMap, stepIndex } of plan.inheritedFds) {
    try {
      opened.set(slot, through ? openThrough(through, call, fixes) : syscall(call, fixes));
      check?.();
      if (idMap !== undefined) mapMount(opened.get(slot)!, idMap, openNamespace);
    } catch (error) {
      closeInheritedFds(opened);
      throw stepError(error, plan, stepIndex);
    }
  }
  return opened;
}

/** Opens a descriptor by another one, which is closed then. */
function openThrough(through: Call, call: Call, fixes: LazyFixes | undefined): number {
  const closing = new Label("closing");
  const outcome = syscalls([
    { call: through },
    { call, onFailure: closing },
    closing,
    { call: close(new ResultOf(through, "opened")) },
  ], fixes);
  return Number(outcome.result(call));
}

/** Closes the script's descriptors after the launch; the container has copies. */
export function closeInheritedFds(opened: ReadonlyMap<Slot, number>): void {
  if (opened.size === 0) return;
  syscalls([...opened.values()].map((fd) => ({ call: close(fd) })));
}

/** Shows the files of a mount, which is attached nowhere yet, as those of other owners. */
function mapMount(
  tree: number,
  map: MountIdMap,
  openNamespace: (map: MountIdMap) => number,
): void {
  const namespace = openNamespace(map);
  try {
    const flags = AT_EMPTY_PATH | (map.recursive ? AT_RECURSIVE : 0);
    const changes = { attr_set: MOUNT_ATTR_IDMAP, userns_fd: namespace };
    syscall(mount_setattr(tree, "", flags, changes), map.fixes);
  } finally {
    syscall(close(namespace));
  }
}
