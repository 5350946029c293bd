/**
 * Lowers the step `overlay`.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { statx, STATX_MODE, statxMode, statxOutput } from "../../ffi/calls/statx.ts";
import {
  at_fdcwd,
  fchmodat,
  fchownat,
  mkdirat,
  O_DIRECTORY,
  O_PATH,
} from "../../ffi/calls/files.ts";
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
  umount2,
} from "../../ffi/calls/mounts.ts";
import type { Fixes } from "../../ffi/fix.ts";
import { isWithin, normalize, parentOf } from "../../recipe/path.ts";
import type { OverlayStep } from "../../recipe/steps/overlay.ts";
import type { PlanBuilder } from "../builder.ts";
import { HostPath } from "../host_path.ts";
import { copyTree } from "../copy_tree.ts";
import { refuseKernelFile, refuseKernelMount } from "./kernel_mounts.ts";
import { checkOptions, mountFilesystem } from "./mounts.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

/** The mount with the upper and the work directory, and their paths in the tmpfs. */
interface Changes {
  readonly tree: ResultOf;
  readonly upper: string;
  readonly work: string;
}

/**
 * Lowers `overlay`. The kernel follows symbolic links in the options, so the directories are opened
 * first and attached in a tmpfs, which the overlay covers; they are unmounted after that.
 */
export function lowerOverlay(step: OverlayStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be mounted on the host");
  const shown = step.untrusted === true ? trustedOrigin(step.lower[0]!, plan) : undefined;
  const isHeld = shown !== undefined && step.discard !== true;
  const target = plan.path(step.target);
  if (target.needsMountPoint) target.makeMountPoint("directory");
  const origin = isHeld ? shown : onlyOrigin(step, plan);
  const lower = step.lower.map((path) => {
    plan.access.recordLowerDirectory(path);
    const source = plan.source(path);
    // What it shows of the host is looked for by the host's paths alone.
    if (!(source instanceof HostPath)) plan.state.unknownSource ??= path;
    return openLower(plan, path, shown !== undefined && !plan.host.isHere);
  });
  const changes = step.upper === undefined ? undefined : openChanges(plan, step.upper, step.work!);
  const flags = MS_NOSUID | MS_NODEV;
  mountFilesystem(plan, step.target, {
    type: "tmpfs",
    flags,
    data: step.size === undefined ? "mode=0755" : `mode=0755,size=${step.size}`,
  });
  const below = target.open(O_PATH | O_DIRECTORY);
  plan.directories.inside(below, () => {
    const attached = new Map(lower.map((tree, index) => [String(index), tree]));
    if (changes !== undefined) attached.set("changes", changes.tree);
    for (const [name, tree] of attached) attachHere(plan, tree, name);
    if (step.discard === true) {
      for (const name of ["upper", "work"]) plan.call(mkdirat(at_fdcwd, name, 0o755));
      copyAttributes(plan, step.lower[0]!, "upper");
      if (step.mode !== undefined) plan.call(fchmodat(at_fdcwd, "upper", step.mode));
    }
    const written = step.discard === true ? { upper: "upper", work: "work" } : changes;
    const data = overlayData(plan, lower.length, written);
    checkOptions(plan, data);
    const restricted = shown === undefined ? 0 : flags;
    plan.call(mount("overlay", ".", "overlay", restricted, data), {
      fixes: overlayFixes(step, plan),
    });
    for (const name of attached.keys()) plan.call(umount2(name, MNT_DETACH));
  });
  plan.release(below);
  plan.mounted({
    target: target.canonical,
    type: "overlay",
    ...(origin !== undefined && { origin }),
    layers: [
      ...(step.upper === undefined ? [] : [{ path: step.upper, changes: true }]),
      ...step.lower.map((path) => ({ path, changes: false })),
    ],
    readOnly: step.upper === undefined && step.discard !== true,
    own: !isHeld,
  });
}

/** Returns the directory of the host that is shown, if it is one and no other. */
function onlyOrigin({ lower, discard }: OverlayStep, plan: PlanBuilder): string | undefined {
  if (discard !== true || lower.length > 1 || !plan.host.isHere) return undefined;
  const source = plan.source(lower[0]!);
  return source instanceof HostPath ? source.resolved.path : undefined;
}

/** Returns the directory of the host that an untrusted program is shown. */
function trustedOrigin(lower: string, plan: PlanBuilder): string {
  if (!plan.host.isHere) {
    plan.refuse("a box cannot hold changes, as there is nobody who makes them in the end");
  }
  const source = plan.source(lower);
  if (!(source instanceof HostPath)) {
    plan.refuse(`${lower} is no directory of the host at this step, and "untrusted" takes one`);
  }
  const { path, type } = source.resolved;
  if (plan.host.isHere) refuseKernelMount(lower, path, plan);
  if (type === "directory" || type === undefined || type === "unknown") return path;
  return plan.refuse(
    `${lower} is not a directory, and changes are held for whole directories; name the one it is in`,
  );
}

function overlayFixes(step: OverlayStep, plan: PlanBuilder): Fixes {
  const directories = [...step.lower, ...(step.upper === undefined ? [] : [step.upper, step.work])];
  const names = directories.join(", ");
  return {
    ...plan.state.mountFixes,
    EINVAL: `the kernel rejects a directory of the overlay, and says more in dmesg(1): ` +
      `${names}; work has to be on the filesystem of upper, and in a user namespace no lower ` +
      "directory may have a mount of the host below it",
    ELOOP: `directories of the overlay overlap, or are nested too deep: ${names}`,
    EBUSY: "upper or work is in use by another overlay",
    ENODEV: "this kernel has no overlayfs (modprobe overlay)",
  };
}

function openLower(plan: PlanBuilder, path: string, isChecked: boolean): ResultOf {
  const opened = plan.source(path).open(O_PATH | O_DIRECTORY, {
    fixes: {
      ENOENT: `the lower directory ${path} does not exist${unexpanded(path)}`,
      ENOTDIR: `${path} is not a directory`,
    },
  });
  if (isChecked) refuseKernelFile(opened, plan);
  const tree = copyTree(plan, opened, 0, path, {
    EINVAL: `in a user namespace no lower directory may have a mount of the host below it, and ` +
      `${path} has one`,
  });
  plan.release(opened);
  return tree;
}

/** Opens upper and work in one mount, as overlayfs requires, with nosymfollow. */
function openChanges(plan: PlanBuilder, upper: string, work: string): Changes {
  plan.access.recordRead(upper);
  for (const path of [upper, work]) plan.access.recordWrite(path);
  checkDirectory(plan, upper, "upper");
  checkDirectory(plan, work, "work");
  const [one, other] = [placeOf(plan, upper), placeOf(plan, work)];
  let directory = parentOf(one);
  while (!isWithin(other, directory)) directory = parentOf(directory);
  const opened = plan.source(directory).open(O_PATH | O_DIRECTORY, {
    fixes: { ENOENT: `the directory of ${upper} and ${work} does not exist` },
  });
  const tree = copyTree(plan, opened, AT_RECURSIVE, directory);
  plan.release(opened);
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, {
    attr_set: MOUNT_ATTR_NOSYMFOLLOW,
  }));
  const beneath = (path: string) =>
    "changes" + path.slice(directory === "/" ? 0 : directory.length);
  return { tree, upper: beneath(one), work: beneath(other) };
}

/** Opens the directory and closes it: mount(2) would not say which one does not exist. */
function checkDirectory(plan: PlanBuilder, path: string, role: string): void {
  const opened = plan.source(path).open(O_PATH | O_DIRECTORY, {
    fixes: {
      ENOENT: `the ${role} directory ${path} does not exist${unexpanded(path)}`,
      ENOTDIR: `the ${role} directory ${path} is not a directory`,
    },
  });
  plan.release(opened);
}

/** Returns the path without symbolic links of the host. */
function placeOf(plan: PlanBuilder, path: string): string {
  const source = plan.source(path);
  return source instanceof HostPath ? source.resolved.path : normalize(path);
}

/**
 * Gives the upper directory the mode and the owner of the topmost lower one, as the root of an
 * overlay has those of its upper directory.
 */
function copyAttributes(plan: PlanBuilder, lower: string, upper: string): void {
  const source = plan.source(lower);
  if (source instanceof HostPath && !plan.host.isHere) return copyLateMode(plan, source, upper);
  const attributes = source instanceof HostPath ? source.resolved.attributes : undefined;
  if (attributes === undefined) return;
  const { mode, uid, gid } = attributes;
  // In a user namespace the directory is the caller's already, and other owners are not mapped.
  if (isPrivileged(plan)) plan.call(fchownat(at_fdcwd, upper, uid, gid));
  plan.call(fchmodat(at_fdcwd, upper, mode));
}

/** Does the same for a lower directory that is not known yet: its mode is read when the box runs. */
function copyLateMode(plan: PlanBuilder, lower: HostPath, upper: string): void {
  const opened = lower.open(O_PATH | O_DIRECTORY);
  const status = statxOutput();
  plan.call(statx(opened, "", AT_EMPTY_PATH, STATX_MODE, status));
  plan.call(fchmodat(at_fdcwd, upper, statxMode(status)));
  plan.release(opened);
  // The owner is that of a user namespace: isPrivileged() refuses others.
}

/** Attaches a mount to a new directory in the working directory. */
function attachHere(plan: PlanBuilder, tree: ResultOf, name: string): void {
  plan.call(mkdirat(at_fdcwd, name, 0o755));
  plan.call(move_mount(tree, "", at_fdcwd, name, MOVE_MOUNT_F_EMPTY_PATH), {
    fixes: plan.state.mountFixes,
  });
  plan.release(tree);
}

function overlayData(
  plan: PlanBuilder,
  layers: number,
  changes: Pick<Changes, "upper" | "work"> | undefined,
): string {
  const names = Array.from({ length: layers }, (_, index) => String(index));
  return [
    `lowerdir=${names.join(":")}`,
    ...(changes === undefined
      ? []
      : [`upperdir=${escaped(changes.upper)}`, `workdir=${escaped(changes.work)}`]),
    // In a user namespace the trusted.* attributes, the default, cannot be written.
    ...(isPrivileged(plan) ? [] : ["userxattr"]),
  ].join(",");
}

/** Whether the overlay belongs to the first user namespace. */
function isPrivileged({ state, host }: PlanBuilder): boolean {
  return !state.inUserNamespace && host.inFirstUserNamespace();
}

/** Escapes commas, which separate the options. */
function escaped(path: string): string {
  return path.replace(/[\\,]/g, "\\$&");
}
