/**
 * Lowers the step `bind`.
 *
 * @module
 */

import { normalize } from "../../recipe/path.ts";
import { ResultOf } from "../../ffi/call.ts";
import { close, O_CLOEXEC, O_DIRECTORY, O_PATH, openat } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { PlanBuilder } from "../builder.ts";
import type { AccessRecorder } from "../access/recorder.ts";
import { attachAt, makeMountPoint, needsMountPoint, openAt } from "../paths.ts";
import { type BindStep, RESTRICTIONS } from "../../recipe/steps/bind.ts";

/** Lowers `bind`. */
export function lowerBind(step: BindStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be mounted on the host");
  const path = plan.access === undefined ? step.source : gatedSource(plan.access, step);
  if (path === undefined) return plan.state.mounts.mounted(step.target, false, false);
  const missing = new Label("the source is missing");
  const recursive = step.recursive === false ? 0 : AT_RECURSIVE;
  const source = openSource(plan, { ...step, source: path }, missing);
  const cloned = open_tree(
    source,
    "",
    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive,
  );
  const tree = new ResultOf(plan.call(cloned), "tree");
  const attributes = (step.restrict ?? []).reduce(
    (sum, word) => sum | RESTRICTIONS[word],
    step.readOnly === true ? MOUNT_ATTR_RDONLY : 0,
  );
  if (attributes !== 0) {
    const set = { attr_set: attributes };
    plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | recursive, set));
  }
  if (isOnItself(plan, { ...step, source: path })) {
    plan.call(move_mount(tree, "", source, "", ONTO_DIRECTORY));
  } else {
    if (needsMountPoint(plan, step.target)) makeMountPointLike(plan, source, step.target);
    attachAt(plan, tree, step.target);
  }
  plan.call(close(tree));
  plan.call(close(source));
  plan.place(missing);
  plan.state.mounts.mounted(step.target, false, step.optional !== true);
}

const ONTO_DIRECTORY = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

/**
 * Whether it is mounted on what it shows, in a root to come: that is looked for once then, so that
 * nobody can change meanwhile what its path leads to.
 */
function isOnItself(plan: PlanBuilder, { source, target }: BindStep): boolean {
  return normalize(source) === normalize(target) && plan.cursor.rootOf(target) !== undefined;
}

/** Notes what is shown, and answers where to open it; `undefined` where it is missing and may be. */
function gatedSource(
  gate: AccessRecorder,
  { source, readOnly, optional, restrict }: BindStep,
): string | undefined {
  const path = gate.places.hostSource(source);
  if (path === undefined) {
    gate.reachesAll();
    return source;
  }
  const noDevices = restrict?.includes("nodev");
  return gate.shows(path, { readOnly, noDevices, optional }) === "missing" ? undefined : path;
}

/** Opens what is to be shown; where that is missing and may be, goes on at the label. */
function openSource(
  plan: PlanBuilder,
  { source, optional }: BindStep,
  missing: Label,
): ResultOf {
  const edges = optional === true ? { accept: ["ENOENT"], onAccepted: missing } as const : {};
  return openAt(plan, source, O_PATH, 0, edges);
}

/** Makes a directory to mount a directory on, or a file to mount anything else on. */
function makeMountPointLike(plan: PlanBuilder, source: ResultOf, target: string): void {
  const isFile = new Label("the source is no directory");
  const made = new Label("the mount point is there");
  const opened = plan.call(openat(source, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), {
    accept: ["ENOTDIR"],
    onAccepted: isFile,
  });
  makeMountPoint(plan, target, "directory");
  plan.call(close(new ResultOf(opened, "directory")), { onZero: made });
  plan.place(isFile);
  makeMountPoint(plan, target, "file");
  plan.place(made);
}
