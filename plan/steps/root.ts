/**
 * Lowers the steps `pivotRoot`, `chroot`, `chdir`.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { chdir as chdirCall, close, fchdir, O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MNT_DETACH,
  mount,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  MS_BIND,
  MS_REC,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  umount2,
} from "../../ffi/calls/mounts.ts";
import { chroot as chrootCall, pivot_root } from "../../ffi/calls/namespaces.ts";
import type { PlanBuilder } from "../builder.ts";
import { enterDirectory } from "../paths.ts";
import { openAt } from "../paths.ts";
import type { ChdirStep, ChrootStep, PivotRootStep } from "../../recipe/steps/root.ts";

/** Lowers `pivotRoot`. */
export function lowerPivotRoot({ path }: PivotRootStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would change the host's root");
  const isMountPoint = plan.state.mounts.isMountPoint(path);
  plan.access?.enters(path, "pivotRoot");
  // The new root has to be a mount point; mounted on itself, any directory is one.
  if (plan.access?.places.resolvedPath(path) !== undefined) enterOpened(plan, path, !isMountPoint);
  else {
    if (!isMountPoint) plan.call(mount(path, path, null, MS_BIND | MS_REC, null));
    plan.call(chdirCall(path));
  }
  // With both arguments the same, the old root comes to lie upon the new one (pivot_root(2)).
  plan.call(pivot_root(".", "."));
  plan.call(umount2(".", MNT_DETACH));
  plan.call(chdirCall("/"));
  plan.state.mounts.enter(path);
}

/** Lowers `chroot`. */
export function lowerChroot({ path }: ChrootStep, plan: PlanBuilder): void {
  plan.access?.enters(path, "chroot");
  if (plan.access?.places.resolvedPath(path) !== undefined) {
    enterOpened(plan, path, false);
    plan.call(chrootCall("."));
  } else plan.call(chrootCall(path));
  plan.call(chdirCall("/"));
  plan.state.mounts.enter(path);
}

/** Lowers `chdir`. */
export function lowerChdir({ path }: ChdirStep, plan: PlanBuilder): void {
  enterDirectory((call) => plan.call(call), path);
}

/** Makes the directory the working directory, mounted on itself where it is to be a mount point. */
function enterOpened(plan: PlanBuilder, path: string, mounted: boolean): void {
  const directory = openAt(plan, path, O_PATH | O_DIRECTORY);
  if (mounted) {
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
    const tree = new ResultOf(plan.call(open_tree(directory, "", flags)), "tree");
    const empty = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    plan.call(move_mount(tree, "", directory, "", empty));
    plan.call(fchdir(tree));
    plan.call(close(tree));
  } else plan.call(fchdir(directory));
  plan.call(close(directory));
}
