/**
 * Lowers the steps `maskPaths`, `readonlyPaths`.
 *
 * @module
 */

import { normalize } from "../../recipe/path.ts";
import { ResultOf } from "../../ffi/call.ts";
import { close, O_CLOEXEC, O_DIRECTORY, O_PATH, openat } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  mount,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { PlanBuilder } from "../builder.ts";
import { copyDevice, inPlace, openAt } from "../paths.ts";
import type { MaskPathsStep, ReadonlyPathsStep } from "../../recipe/steps/masks.ts";

/** Lowers `maskPaths`. */
export function lowerMaskPaths({ paths }: MaskPathsStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would be hidden on the host");
  for (const path of paths.map(normalize)) {
    if (path === "/") {
      plan.refuse("the root itself cannot be hidden; pivotRoot() enters another");
    }
    mask(plan, path);
  }
}

/** Lowers `readonlyPaths`. */
export function lowerReadonlyPaths({ paths }: ReadonlyPathsStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would become so on the host");
  for (const path of paths.map(normalize)) {
    if (path === "/") plan.refuse('for the root itself there is remount("/", "ro,...")');
    keepFromChange(plan, path);
  }
}

function mask(plan: PlanBuilder, path: string): void {
  const done = new Label(`${path} is hidden, or missing`);
  const isFile = new Label(`${path} is no directory`);
  const place = openIfThere(plan, path, done);
  const opened = plan.call(openat(place, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), {
    accept: ["ENOTDIR"],
    onAccepted: isFile,
  });
  inPlace(plan, new ResultOf(opened, "directory"), () => {
    const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    plan.call(mount("tmpfs", ".", "tmpfs", flags, "mode=0555"));
  });
  plan.call(close(place), { onZero: done });
  plan.place(isFile);
  cover(plan, place, copyDevice(plan, "/dev/null", "null"));
  plan.place(done);
  plan.access?.guards(path);
  plan.state.mounts.mounted(path, false, false);
}

function keepFromChange(plan: PlanBuilder, path: string): void {
  const missing = new Label(`${path} is missing`);
  const place = openIfThere(plan, path, missing);
  const copy = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
  const tree = new ResultOf(plan.call(open_tree(place, "", copy)), "tree");
  const readOnly = { attr_set: MOUNT_ATTR_RDONLY };
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, readOnly));
  cover(plan, place, tree);
  plan.place(missing);
  plan.access?.guards(path);
  plan.state.mounts.mounted(path, false, false);
}

function openIfThere(plan: PlanBuilder, path: string, missing: Label): ResultOf {
  return openAt(plan, path, O_PATH, 0, { accept: ["ENOENT", "ENOTDIR"], onAccepted: missing });
}

/** Attaches a mount to a place, and closes both. */
function cover(plan: PlanBuilder, place: ResultOf, tree: ResultOf): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  plan.call(move_mount(tree, "", place, "", flags));
  plan.call(close(tree));
  plan.call(close(place));
}
