/**
 * Pins: directories that are mounted on themselves, as the kernel lets nobody rename or remove a
 * mount point (rename(2), EBUSY). A mount moves along when a directory above it is renamed, and the
 * program could then make another file at the path.
 *
 * @module
 */

import type { Fd, ResultOf } from "../ffi/call.ts";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
} from "../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  move_mount,
} from "../ffi/calls/mounts.ts";
import type { Label } from "../ffi/engine/program.ts";
import type { Fixes } from "../ffi/fix.ts";
import { isWithin } from "../recipe/path.ts";
import type { PlanBuilder } from "./builder.ts";
import { type ContainerPath, ONTO_FD } from "./container_path.ts";
import { copyTree } from "./copy_tree.ts";

/** The kernel's own filesystems: nobody renames a directory of theirs. */
const KERNEL = ["/proc", "/sys"];

/**
 * Pins the directories on the way to a path that is on files of the host which can be changed, and
 * that a step protects. Jumps to the label, if given, where one is missing.
 *
 * @param pinned the directories that the step has pinned already
 */
export function pinParents(
  plan: PlanBuilder,
  { canonical, path }: ContainerPath,
  pinned: Set<string> = new Set(),
  missing?: Label,
): void {
  const { mounts } = plan.state;
  const mount = mounts.mountAbove(canonical);
  if (!canonical.startsWith("/") || mount.own || mount.readOnly) return;
  if (mount.type !== "bind" && mount.origin === undefined) return;
  if (mounts.isHostFile(canonical) && KERNEL.some((own) => isWithin(canonical, own))) return;
  // A later root is entered by its directory, which a mount above it would cover.
  const root = plan.cursor.rootOf(canonical);
  const top = root !== undefined && isWithin(root, mount.target) ? root : mount.target;
  const start = top === "/" ? 1 : top.length + 1;
  for (const directory of parentsOf(canonical.slice(start))) {
    const whole = canonical.slice(0, start) + directory;
    if (pinned.has(whole)) continue;
    pinned.add(whole);
    const place = openBelow(plan, plan.directories.at(top), directory, {
      flags: O_DIRECTORY,
      missing,
      fixes: {
        ELOOP: `a directory on the way to ${path} is a symbolic link, which the program could ` +
          "replace; name the path without it",
      },
    });
    mountOnItself(plan, place, directory);
  }
}

/** Returns the directories on a relative path, the outermost first. */
export function parentsOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** What {@linkcode openBelow} opens. */
export interface OpenBelow {
  readonly flags?: number;
  /** Jumped to where the file is missing, if given. */
  readonly missing?: Label | undefined;
  /** Jumped to where a directory on the way may not be searched, if given. */
  readonly unreachable?: Label | undefined;
  readonly fixes?: Fixes;
}

/** Opens a file below a directory, on a way without symbolic links. */
export function openBelow(
  plan: PlanBuilder,
  directory: Fd,
  path: string,
  { flags = 0, missing, unreachable, fixes = {} }: OpenBelow,
): ResultOf {
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const call = openat2(directory, path, { flags: O_PATH | O_CLOEXEC | flags, resolve });
  const accept = ["ENOENT", "ENOTDIR"] as const;
  return plan.open(call, `<${path}>`, {
    ...(missing !== undefined && { accept, onAccepted: missing }),
    ...(unreachable !== undefined && { accept: ["EACCES"], onAccepted: unreachable }),
    fixes,
  });
}

/** Mounts an open file on itself, with all mounts below it. */
export function mountOnItself(
  plan: PlanBuilder,
  place: ResultOf,
  path: string,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): void {
  const tree = copyTree(plan, place, AT_RECURSIVE, path);
  const fixes = plan.state.mountFixes;
  if (readOnly) {
    const attributes = { attr_set: MOUNT_ATTR_RDONLY };
    plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, attributes), { fixes });
  }
  plan.call(move_mount(tree, "", place, "", ONTO_FD), { fixes });
  plan.release(tree);
  plan.release(place);
}
