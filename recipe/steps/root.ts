/**
 * The steps that change where paths begin: `pivotRoot`, `chroot` and `chdir`.
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
import type { Draft } from "../drafting/draft.ts";
import { absolutePath, path as pathField } from "../fields.ts";
import { normalize } from "../drafting/ground.ts";
import { enterFolder } from "../drafting/place.ts";
import { openAt } from "../drafting/place.ts";
import type { StepDefinition } from "../step.ts";

/** Makes a folder the root, and takes the old root away. */
export interface PivotRootStep {
  /** Which step it is. */
  readonly step: "pivotRoot";
  /** The folder. */
  readonly path: string;
}

/**
 * Makes a folder the root of the container's mount namespace, and takes the old root away: nothing
 * of it is left to be reached, and no folder of it stays behind. The working directory is then `/`.
 * Needs `unshare("mount")` before it. See pivot_root(2).
 *
 * @throws {RecipeError} for `/`, which is the root already; when it is planned without
 * `unshare("mount")` before it
 * @throws {SyscallError} when it is run: `ENOENT` where the folder does not exist, `ENOTDIR` where
 * it is no folder, `EACCES` where it may not be searched, `EINVAL` where it lies on a shared mount,
 * or the root is the initial ramdisk
 *
 * @example
 * ```ts
 * import { bind, mapRoot, pivotRoot, recipe, symlink, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   tmpfs("/mnt"),
 *   bind("/usr", "/mnt/usr", { readOnly: true }),
 *   bind("/lib64", "/mnt/lib64", { readOnly: true, optional: true }),
 *   symlink("usr/lib", "/mnt/lib"),
 *   pivotRoot("/mnt"),
 * );
 * const { stdout } = await box.command("/usr/bin/ls", { args: ["/"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // lib lib64 usr
 * ```
 */
export function pivotRoot(path: string): PivotRootStep {
  return { step: "pivotRoot", path };
}

/** How `pivotRoot` is checked and planned. */
export const pivotRootDefinition: StepDefinition<PivotRootStep> = {
  step: "pivotRoot",
  get fields() {
    return { path: absolutePath() };
  },
  complaint: ({ path }) => normalize(path) === "/" ? "/ is the root already" : undefined,
  plan({ path }, draft) {
    draft.needs("mount", "it would change the host's root");
    const isMountPoint = draft.container.ground.isMountPoint(path);
    draft.gate?.enters(path, "pivotRoot");
    // The new root has to be a mount point; mounted on itself, any folder is one.
    if (draft.gate?.places.openedAs(path) !== undefined) enterOpened(draft, path, !isMountPoint);
    else {
      if (!isMountPoint) draft.call(mount(path, path, null, MS_BIND | MS_REC, null));
      draft.call(chdirCall(path));
    }
    // With both arguments the same, the old root comes to lie upon the new one (pivot_root(2)).
    draft.call(pivot_root(".", "."));
    draft.call(umount2(".", MNT_DETACH));
    draft.call(chdirCall("/"));
    draft.container.ground.enter(path);
  },
};

/** Makes the folder the working directory, mounted on itself where it is to be a mount point. */
function enterOpened(draft: Draft, path: string, mounted: boolean): void {
  const folder = openAt(draft, path, O_PATH | O_DIRECTORY);
  if (mounted) {
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
    const tree = new ResultOf(draft.call(open_tree(folder, "", flags)), "tree");
    const empty = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    draft.call(move_mount(tree, "", folder, "", empty));
    draft.call(fchdir(tree));
    draft.call(close(tree));
  } else draft.call(fchdir(folder));
  draft.call(close(folder));
}

/** Makes a folder the root of the program. */
export interface ChrootStep {
  /** Which step it is. */
  readonly step: "chroot";
  /** The folder. */
  readonly path: string;
}

/**
 * Makes a folder the root for the program, and `/` the working directory. Whoever is root in there
 * gets out again: `pivotRoot` is the safe one. See chroot(2).
 *
 * @throws {SyscallError} when it is run: `EPERM` without CAP_SYS_CHROOT, which an ordinary user has
 * in a user namespace only, `ENOENT` where the folder does not exist, `ENOTDIR` where it is no
 * folder
 *
 * @example
 * ```ts
 * import { chroot, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user"), mapRoot(), chroot("/"));
 * const { stdout } = await box.command("pwd").output();
 * console.log(new TextDecoder().decode(stdout)); // /
 * ```
 */
export function chroot(path: string): ChrootStep {
  return { step: "chroot", path };
}

/** How `chroot` is checked and planned. */
export const chrootDefinition: StepDefinition<ChrootStep> = {
  step: "chroot",
  get fields() {
    return { path: absolutePath() };
  },
  plan({ path }, draft) {
    draft.gate?.enters(path, "chroot");
    if (draft.gate?.places.openedAs(path) !== undefined) {
      enterOpened(draft, path, false);
      draft.call(chrootCall("."));
    } else draft.call(chrootCall(path));
    draft.call(chdirCall("/"));
    draft.container.ground.enter(path);
  },
};

/** Changes the working directory. */
export interface ChdirStep {
  /** Which step it is. */
  readonly step: "chdir";
  /** The folder. */
  readonly path: string;
}

/**
 * Changes the working directory, in the file tree as it is at this step. Needs no privilege. See
 * chdir(2).
 *
 * @throws {SyscallError} when it is run: `ENOENT` where the folder does not exist, `ENOTDIR` where
 * it is no folder, `EACCES` where the user may not enter it, `ELOOP` where a link in /proc on the
 * way would lead out of the container
 *
 * @example
 * ```ts
 * import { chdir, recipe } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(chdir("/usr")).command("pwd").output();
 * console.log(new TextDecoder().decode(stdout)); // /usr
 * ```
 */
export function chdir(path: string): ChdirStep {
  return { step: "chdir", path };
}

/** How `chdir` is checked and planned. */
export const chdirDefinition: StepDefinition<ChdirStep> = {
  step: "chdir",
  get fields() {
    return { path: pathField() };
  },
  plan: ({ path }, draft) => enterFolder((call) => draft.call(call), path),
};
