/**
 * The step `overlay`: folders laid over one another. See Documentation/filesystems/overlayfs.rst.
 *
 * @module
 */

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
import type { Draft } from "../drafting/draft.ts";
import { absolutePath, boolean, list, optional } from "../fields.ts";
import { folderOf, isWithin, normalize } from "../drafting/ground.ts";
import {
  checkOptions,
  copyTree,
  inPlace,
  makeMountPoint,
  mountAt,
  needsMountPoint,
  openAt,
} from "../drafting/place.ts";
import type { StepDefinition } from "../step.ts";

/** Lays folders over one another. */
export interface OverlayStep extends OverlayOptions {
  /** Which step it is. */
  readonly step: "overlay";
  /** The folder where they are seen as one. */
  readonly target: string;
}

/** Options of {@linkcode overlay}. */
export interface OverlayOptions {
  /** The folders that are read, the topmost first. */
  readonly lower: readonly string[];
  /** The folder that takes what is written. */
  readonly upper?: string;
  /** An empty folder beside `upper`, on the same filesystem, which the kernel needs for itself. */
  readonly work?: string;
  /** Whether what is written goes to memory and is thrown away, in place of `upper` and `work`. */
  readonly discard?: boolean;
}

/**
 * Lays folders over one another: what is written goes to `upper`, or with `discard` to memory, and
 * the lower folders stay as they are. With neither, the overlay can only be read, and needs two
 * lower folders. Needs `unshare("mount")` before it; in a user namespace, Linux 5.11.
 *
 * @throws {RecipeError} where there is `upper` without `work` or beside `discard`, or with none of
 * them but one lower folder
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, onto `/`, or with
 * more than 4095 bytes of folders
 * @throws {SyscallError} when it is run: `ENOENT` where one of the folders does not exist, `EINVAL`
 * where one does not suit the kernel: it is none, `work` is on another filesystem than `upper`, or
 * in a user namespace something of the host's is mounted below a lower one, `ENODEV` where this
 * kernel has no overlayfs
 *
 * @example Change the host's files, and throw the changes away
 * ```ts
 * import { mapRoot, overlay, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   overlay("/usr", { lower: ["/usr"], discard: true }),
 * );
 * console.log((await box.command("touch", { args: ["/usr/a"] }).output()).success); // true
 * ```
 */
export function overlay(target: string, options: OverlayOptions): OverlayStep {
  return { step: "overlay", target, ...options };
}

/** How `overlay` is checked and planned. */
export const overlayDefinition: StepDefinition<OverlayStep> = {
  step: "overlay",
  get fields() {
    return {
      target: absolutePath(),
      lower: list(absolutePath(), 1),
      upper: optional(absolutePath()),
      work: optional(absolutePath()),
      discard: optional(boolean()),
    };
  },
  complaint({ lower, upper, work, discard }) {
    if ((upper === undefined) !== (work === undefined)) return `"upper" and "work" go together`;
    if (upper !== undefined && discard === true) return `"discard" takes the place of "upper"`;
    if (upper === undefined && discard !== true && lower.length < 2) {
      return `without "upper" or "discard" there have to be two lower folders`;
    }
    return undefined;
  },
  plan(step, draft) {
    draft.needs("mount", "it would be mounted on the host");
    if (draft.gate !== undefined && draft.container.ground.atHostRoot) {
      return openedOverlay(draft, step);
    }
    if (step.discard === true) return discardingOverlay(draft, step);
    const { target, lower, upper, work } = step;
    mountAt(draft, "overlay", target, "overlay", 0, overlayData(draft, lower, upper, work));
  },
};

/** An overlay whose upper folder lies in a tmpfs that it covers itself. */
function discardingOverlay(draft: Draft, { target, lower }: OverlayStep): void {
  const folder = normalize(target);
  if (needsMountPoint(draft, folder)) makeMountPoint(draft, folder, "folder");
  // By this the target's own files can be reached when the tmpfs covers them.
  const covered = openAt(draft, folder, O_PATH | O_DIRECTORY);
  mountAt(draft, "tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  inPlace(draft, openAt(draft, folder, O_PATH | O_DIRECTORY), () => {
    for (const name of ["upper", "work"]) draft.call(mkdirat(at_fdcwd, name, 0o755));
    if (lower.some((path) => isWithin(normalize(path), folder))) uncover(draft, covered);
    const reachable = lower.map(normalize).map((path) =>
      isWithin(path, folder) ? "lower" + path.slice(folder === "/" ? 0 : folder.length) : path
    );
    const data = overlayData(draft, reachable, "upper", "work");
    checkOptions(draft, data);
    draft.call(mount("overlay", ".", "overlay", 0, data));
  });
  draft.call(close(covered));
  draft.container.ground.mounted(folder, true);
}

/**
 * An overlay of folders that are opened first, as the kernel follows links in its options: they are
 * attached in a tmpfs that the overlay covers, and taken away once it is there.
 */
function openedOverlay(draft: Draft, { target, lower, upper, work, discard }: OverlayStep): void {
  const { gate } = draft;
  const folder = normalize(target);
  if (needsMountPoint(draft, folder)) makeMountPoint(draft, folder, "folder");
  const trees = lower.map((path, index) => {
    gate?.lays(path);
    return copyTree(draft, path, `lower ${index}`);
  });
  const changes = upper === undefined ? undefined : openChanges(draft, upper, work!);
  mountAt(draft, "tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
  inPlace(draft, openAt(draft, folder, O_PATH | O_DIRECTORY), () => {
    const attached = [...trees.entries(), ...(changes ? [["changes", changes.tree] as const] : [])];
    for (const [name, tree] of attached) attachHere(draft, tree, String(name));
    if (discard === true) {
      for (const name of ["upper", "work"]) draft.call(mkdirat(at_fdcwd, name, 0o755));
    }
    const names = trees.map((_, index) => String(index));
    const [above, beside] = discard === true ? ["upper", "work"] : [changes?.upper, changes?.work];
    const data = overlayData(draft, names, above, beside);
    checkOptions(draft, data);
    draft.call(mount("overlay", ".", "overlay", 0, data));
    for (const [name] of attached) draft.call(umount2(String(name), MNT_DETACH));
  });
  draft.container.ground.mounted(folder, true);
}

/** What takes the changes, in one mount as the kernel wants it, where no link is followed. */
function openChanges(
  draft: Draft,
  upper: string,
  work: string,
): { readonly tree: ResultOf; readonly upper: string; readonly work: string } {
  draft.gate?.reads(upper);
  for (const path of [upper, work]) draft.gate?.changes(path);
  const [one, other] = [upper, work].map((path) => draft.gate?.places.openedAs(path) ?? path);
  let folder = folderOf(one!);
  while (!isWithin(other!, folder)) folder = folderOf(folder);
  const tree = copyTree(draft, folder, "changes", AT_RECURSIVE);
  draft.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, {
    attr_set: MOUNT_ATTR_NOSYMFOLLOW,
  }));
  const beneath = (path: string) => "changes" + path.slice(folder === "/" ? 0 : folder.length);
  return { tree, upper: beneath(one!), work: beneath(other!) };
}

/** Attaches a mount to a new folder in the working directory. */
function attachHere(draft: Draft, tree: ResultOf, name: string): void {
  draft.call(mkdirat(at_fdcwd, name, 0o755));
  draft.call(move_mount(tree, "", at_fdcwd, name, MOVE_MOUNT_F_EMPTY_PATH));
  draft.call(close(tree));
}

/** Shows a folder that is covered as `lower` in the working directory. */
function uncover(draft: Draft, covered: ResultOf): void {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  const tree = new ResultOf(draft.call(open_tree(covered, "", flags)), "tree");
  attachHere(draft, tree, "lower");
}

function overlayData(
  draft: Draft,
  lower: readonly string[],
  upper: string | undefined,
  work: string | undefined,
): string {
  return [
    `lowerdir=${lower.map((path) => escaped(path).replaceAll(":", "\\:")).join(":")}`,
    ...(upper === undefined ? [] : [`upperdir=${escaped(upper)}`]),
    ...(work === undefined ? [] : [`workdir=${escaped(work)}`]),
    // In a user namespace the trusted.* attributes, the default, cannot be written.
    ...(draft.container.own.has("user") ? ["userxattr"] : []),
  ].join(",");
}

/** Commas part the options, and a backslash keeps them from it. */
function escaped(path: string): string {
  return path.replace(/[\\,]/g, "\\$&");
}
