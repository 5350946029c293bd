/**
 * The steps that take files out of a program's reach: `maskPaths` and `readonlyPaths`.
 *
 * @module
 */

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
import { Label } from "../../ffi/program.ts";
import type { Draft } from "../drafting/draft.ts";
import { absolutePath, list } from "../fields.ts";
import { normalize } from "../drafting/ground.ts";
import { copyDevice, inPlace, openAt } from "../drafting/place.ts";
import type { StepDefinition } from "../step.ts";

/** Hides files and folders. */
export interface MaskPathsStep {
  /** Which step it is. */
  readonly step: "maskPaths";
  /** The files and folders. */
  readonly paths: readonly string[];
}

/**
 * Hides files and folders: /dev/null lies over a file, an empty folder that can only be read over a
 * folder. What is missing is left out. Needs `unshare("mount")` before it, and Linux 5.2.
 *
 * Who may mount in the container can take it away again: `capabilities({ keep: [] })` sees to it
 * that nobody may.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or for `/`
 * @throws {SyscallError} when it is run: `EACCES` where a folder on the way may not be searched,
 * `ENOSYS` before Linux 5.2
 *
 * @example
 * ```ts
 * import { mapRoot, maskPaths, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), maskPaths("/etc/passwd", "/home"));
 * const { stdout } = await box.command("cat", { args: ["/etc/passwd"] }).output();
 * console.log(stdout.length); // 0
 * ```
 */
export function maskPaths(...paths: string[]): MaskPathsStep {
  return { step: "maskPaths", paths };
}

/** How `maskPaths` is checked and planned. */
export const maskPathsDefinition: StepDefinition<MaskPathsStep> = {
  step: "maskPaths",
  get fields() {
    return { paths: list(absolutePath(), 1) };
  },
  plan({ paths }, draft) {
    draft.needs("mount", "they would be hidden on the host");
    for (const path of paths.map(normalize)) {
      if (path === "/") {
        draft.refuse("the root itself cannot be hidden; pivotRoot() enters another");
      }
      mask(draft, path);
    }
  },
};

function mask(draft: Draft, path: string): void {
  const done = new Label(`${path} is hidden, or missing`);
  const isFile = new Label(`${path} is no folder`);
  const place = openIfThere(draft, path, done);
  const opened = draft.call(openat(place, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), {
    accept: ["ENOTDIR"],
    onAccepted: isFile,
  });
  inPlace(draft, new ResultOf(opened, "folder"), () => {
    const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    draft.call(mount("tmpfs", ".", "tmpfs", flags, "mode=0555"));
  });
  draft.call(close(place), { onZero: done });
  draft.place(isFile);
  cover(draft, place, copyDevice(draft, "/dev/null", "null"));
  draft.place(done);
  draft.gate?.guards(path);
  draft.container.ground.mounted(path, false, false);
}

/** Makes files and folders unchangeable. */
export interface ReadonlyPathsStep {
  /** Which step it is. */
  readonly step: "readonlyPaths";
  /** The files and folders. */
  readonly paths: readonly string[];
}

/**
 * Keeps files, and folders with all that is mounted beneath them, from being changed: they can only
 * be read. What is missing is left out. Needs `unshare("mount")` before it, and Linux 5.12.
 *
 * Who may mount in the container can take it away again: `capabilities({ keep: [] })` sees to it
 * that nobody may.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or for `/`
 * @throws {SyscallError} when it is run: `EACCES` where a folder on the way may not be searched,
 * `ENOSYS` before Linux 5.12
 *
 * @example
 * ```ts
 * import { mapRoot, readonlyPaths, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), readonlyPaths("/tmp"));
 * const { success } = await box.command("touch", { args: ["/tmp/a"], stderr: "null" }).output();
 * console.log(success); // false
 * ```
 */
export function readonlyPaths(...paths: string[]): ReadonlyPathsStep {
  return { step: "readonlyPaths", paths };
}

/** How `readonlyPaths` is checked and planned. */
export const readonlyPathsDefinition: StepDefinition<ReadonlyPathsStep> = {
  step: "readonlyPaths",
  get fields() {
    return { paths: list(absolutePath(), 1) };
  },
  plan({ paths }, draft) {
    draft.needs("mount", "they would become so on the host");
    for (const path of paths.map(normalize)) {
      if (path === "/") draft.refuse('for the root itself there is remount("/", "ro,...")');
      keepFromChange(draft, path);
    }
  },
};

function keepFromChange(draft: Draft, path: string): void {
  const missing = new Label(`${path} is missing`);
  const place = openIfThere(draft, path, missing);
  const copy = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
  const tree = new ResultOf(draft.call(open_tree(place, "", copy)), "tree");
  const readOnly = { attr_set: MOUNT_ATTR_RDONLY };
  draft.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, readOnly));
  cover(draft, place, tree);
  draft.place(missing);
  draft.gate?.guards(path);
  draft.container.ground.mounted(path, false, false);
}

function openIfThere(draft: Draft, path: string, missing: Label): ResultOf {
  return openAt(draft, path, O_PATH, 0, { accept: ["ENOENT", "ENOTDIR"], onAccepted: missing });
}

/** Attaches a mount to a place, and closes both. */
function cover(draft: Draft, place: ResultOf, tree: ResultOf): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  draft.call(move_mount(tree, "", place, "", flags));
  draft.call(close(tree));
  draft.call(close(place));
}
