/**
 * Lowers the steps `maskPaths` and `readonlyPaths`.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { O_PATH } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
} from "../../ffi/calls/mounts.ts";
import type { Label } from "../../ffi/engine/program.ts";
import { normalize } from "../../recipe/path.ts";
import type { MaskPathsStep, ReadonlyPathsStep } from "../../recipe/steps/masks.ts";
import type { PlanBuilder } from "../builder.ts";
import type { ContainerPath } from "../container_path.ts";
import { copyTree } from "../copy_tree.ts";
import { pinParents } from "../pins.ts";
import { coverWithEmpty, withEmptyFiles } from "./empty_files.ts";

/** Lowers `maskPaths`. */
export function lowerMaskPaths({ paths }: MaskPathsStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would be hidden on the host");
  withEmptyFiles(plan, (empty) => {
    const pinned = new Set<string>();
    for (const path of paths.map(normalize)) {
      if (path === "/") {
        plan.refuse("the root itself cannot be hidden; pivotRoot() enters another");
      }
      mask(plan, path, empty, pinned);
    }
  });
}

/** Mounts an empty file or directory over the path, if it exists. */
function mask(plan: PlanBuilder, path: string, empty: ResultOf, pinned: Set<string>): void {
  const target = plan.path(path);
  const place = plan.access.settledPlace(path);
  target.openBase();
  plan.skippable(`${path} is missing`, (end) => {
    pinParents(plan, target, pinned, end);
    const opened = openIfThere(target, end);
    coverWithEmpty(plan, opened, path, empty);
    plan.release(opened);
  });
  plan.mounted({
    target: target.canonical,
    type: "mask",
    readOnly: true,
    certain: false,
  });
  plan.access.recordGuard(place);
}

/** Lowers `readonlyPaths`. */
export function lowerReadonlyPaths({ paths }: ReadonlyPathsStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would become read-only on the host");
  const pinned = new Set<string>();
  for (const path of paths.map(normalize)) {
    if (path === "/") plan.refuse('for the root itself there is remount("/", "ro,...")');
    keepFromChange(plan, path, pinned);
  }
}

function keepFromChange(plan: PlanBuilder, path: string, pinned: Set<string>): void {
  const target = plan.path(path);
  const place = plan.access.settledPlace(path);
  target.openBase();
  plan.skippable(`${path} is missing`, (missing) => {
    pinParents(plan, target, pinned, missing);
    const opened = openIfThere(target, missing);
    const tree = copyTree(plan, opened, AT_RECURSIVE, path);
    const readOnly = { attr_set: MOUNT_ATTR_RDONLY };
    plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, readOnly), {
      fixes: plan.state.mountFixes,
    });
    target.attachTo(opened, tree, path);
    plan.release(tree);
    plan.release(opened);
  });
  plan.mounted({
    target: target.canonical,
    type: "bind",
    source: path,
    ...plan.state.mounts.originOf(target.canonical),
    readOnly: true,
    certain: false,
    keepsBelow: true,
  });
  plan.access.recordGuard(place);
}

function openIfThere(target: ContainerPath, missing: Label): ResultOf {
  return target.open(O_PATH, { accept: ["ENOENT", "ENOTDIR"], onAccepted: missing });
}
