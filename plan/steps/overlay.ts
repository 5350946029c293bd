/**
 * Lowers the step `overlay`.
 *
 * @module
 */

import { directoryOf, isWithin, normalize } from "../../recipe/path.ts";
import { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, mkdirat, O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MNT_DETACH,
  mount,
  MOUNT_ATTR_NOSYMFOLLOW,
  mount_setattr,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_NODEV,
  MS_NOSUID,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  umount2,
} from "../../ffi/calls/mounts.ts";
import type { PlanBuilder } from "../builder.ts";
import {
  checkOptions,
  copyTree,
  inPlace,
  makeMountPoint,
  mountAt,
  needsMountPoint,
  openAt,
} from "../paths.ts";
import type { OverlayStep } from "../../recipe/steps/overlay.ts";

/** Lowers `overlay`. */
export function lowerOverlay(step: OverlayStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be mounted on the host");
  if (plan.access !== undefined && plan.state.mounts.atHostRoot) {
    return openedOverlay(plan, step);
  }
  if (step.discard === true) return discardingOverlay(plan, step);
  const { target, lower, upper, work } = step;
  mountAt(plan, "overlay", target, "overlay", 0, overlayData(plan, lower, upper, work));
}

/** An overlay whose upper directory lies in a tmpfs that it covers itself. */
function discardingOverlay(plan: PlanBuilder, { target, lower }: OverlayStep): void {
  const directory = normalize(target);
  if (needsMountPoint(plan, directory)) makeMountPoint(plan, directory, "directory");
  // By this the target's own files can be reached when the tmpfs covers them.
  const covered = openAt(plan, directory, O_PATH | O_DIRECTORY);
  mountAt(plan, "tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  inPlace(plan, openAt(plan, directory, O_PATH | O_DIRECTORY), () => {
    for (const name of ["upper", "work"]) plan.call(mkdirat(at_fdcwd, name, 0o755));
    if (lower.some((path) => isWithin(normalize(path), directory))) uncover(plan, covered);
    const reachable = lower.map(normalize).map((path) =>
      isWithin(path, directory)
        ? "lower" + path.slice(directory === "/" ? 0 : directory.length)
        : path
    );
    const data = overlayData(plan, reachable, "upper", "work");
    checkOptions(plan, data);
    plan.call(mount("overlay", ".", "overlay", 0, data));
  });
  plan.call(close(covered));
  plan.state.mounts.mounted(directory, true);
}

/**
 * An overlay of directories that are opened first, as the kernel follows links in its options: they are
 * attached in a tmpfs that the overlay covers, and taken away once it is there.
 */
function openedOverlay(
  plan: PlanBuilder,
  { target, lower, upper, work, discard }: OverlayStep,
): void {
  const { access } = plan;
  const directory = normalize(target);
  if (needsMountPoint(plan, directory)) makeMountPoint(plan, directory, "directory");
  const trees = lower.map((path, index) => {
    access?.lays(path);
    return copyTree(plan, path, `lower ${index}`);
  });
  const changes = upper === undefined ? undefined : openChanges(plan, upper, work!);
  mountAt(plan, "tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  inPlace(plan, openAt(plan, directory, O_PATH | O_DIRECTORY), () => {
    const attached = [...trees.entries(), ...(changes ? [["changes", changes.tree] as const] : [])];
    for (const [name, tree] of attached) attachHere(plan, tree, String(name));
    if (discard === true) {
      for (const name of ["upper", "work"]) plan.call(mkdirat(at_fdcwd, name, 0o755));
    }
    const names = trees.map((_, index) => String(index));
    const [above, beside] = discard === true ? ["upper", "work"] : [changes?.upper, changes?.work];
    const data = overlayData(plan, names, above, beside);
    checkOptions(plan, data);
    plan.call(mount("overlay", ".", "overlay", 0, data));
    for (const [name] of attached) plan.call(umount2(String(name), MNT_DETACH));
  });
  plan.state.mounts.mounted(directory, true);
}

/** What takes the changes, in one mount as the kernel wants it, where no link is followed. */
function openChanges(
  plan: PlanBuilder,
  upper: string,
  work: string,
): { readonly tree: ResultOf; readonly upper: string; readonly work: string } {
  plan.access?.reads(upper);
  for (const path of [upper, work]) plan.access?.changes(path);
  const [one, other] = [upper, work].map((path) => plan.access?.places.resolvedPath(path) ?? path);
  let directory = directoryOf(one!);
  while (!isWithin(other!, directory)) directory = directoryOf(directory);
  const tree = copyTree(plan, directory, "changes", AT_RECURSIVE);
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, {
    attr_set: MOUNT_ATTR_NOSYMFOLLOW,
  }));
  const beneath = (path: string) =>
    "changes" + path.slice(directory === "/" ? 0 : directory.length);
  return { tree, upper: beneath(one!), work: beneath(other!) };
}

/** Attaches a mount to a new directory in the working directory. */
function attachHere(plan: PlanBuilder, tree: ResultOf, name: string): void {
  plan.call(mkdirat(at_fdcwd, name, 0o755));
  plan.call(move_mount(tree, "", at_fdcwd, name, MOVE_MOUNT_F_EMPTY_PATH));
  plan.call(close(tree));
}

/** Shows a directory that is covered as `lower` in the working directory. */
function uncover(plan: PlanBuilder, covered: ResultOf): void {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  const tree = new ResultOf(plan.call(open_tree(covered, "", flags)), "tree");
  attachHere(plan, tree, "lower");
}

function overlayData(
  plan: PlanBuilder,
  lower: readonly string[],
  upper: string | undefined,
  work: string | undefined,
): string {
  return [
    `lowerdir=${lower.map((path) => escaped(path).replaceAll(":", "\\:")).join(":")}`,
    ...(upper === undefined ? [] : [`upperdir=${escaped(upper)}`]),
    ...(work === undefined ? [] : [`workdir=${escaped(work)}`]),
    // In a user namespace the trusted.* attributes, the default, cannot be written.
    ...(plan.state.own.has("user") ? ["userxattr"] : []),
  ].join(",");
}

/** Commas part the options, and a backslash keeps them from it. */
function escaped(path: string): string {
  return path.replace(/[\\,]/g, "\\$&");
}
