/**
 * The step `denyFiles`: files of the host that stay out of reach, or read-only, wherever they are shown.
 *
 * @module
 */

import { absolutePath, list, optional } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Hides files of the host, or keeps them from being changed. */
export interface DenyFilesStep extends DeniedFiles {
  /** The name of the step. */
  readonly step: "denyFiles";
}

/** What {@linkcode denyFiles} takes. */
export interface DeniedFiles {
  /** Files and directories of the host that are hidden. */
  readonly read?: readonly string[];
  /** Files and directories of the host that stay read-only. */
  readonly write?: readonly string[];
}

/**
 * Hides files of the host (`read`), and keeps others read-only (`write`), within what earlier steps
 * show: also where a `bind()` shows them at another path, or a symbolic link leads to them. An empty
 * file or directory is mounted over what is hidden, which can be neither read nor changed. Needs
 * `unshare("mount")` before it, and for `read` in a user namespace mapped ids. It comes after the
 * binds, and before `pivotRoot()`.
 *
 * Directories on the way are mounted on themselves, so that the program cannot move them away. Where
 * a path is missing in a directory that can be changed, it cannot be made either: an empty directory
 * stands in its place on the host while the container runs. Where one is made outside meanwhile,
 * within a directory that can only be read, it is shown.
 *
 * A program that may mount in the container can undo it, and so can one that may make user namespaces,
 * where what is denied lies in a directory that can be changed: `disableUserNamespaces()` and
 * `capabilities({ keep: [] })` prevent that.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, in a user namespace
 * without a step that maps ids, after `pivotRoot()`, for `/`, for a file that has a second name (a
 * hard link), or for one in a layer of an `overlay()`, but where it is the only one and changes are
 * discarded
 * @throws {SyscallError} when it is run: `ENOENT` and `ELOOP` where files that are found are gone, or
 * have become links, whenever the container is made, `ENOSYS` before Linux 5.12
 *
 * @example
 * ```ts
 * import { denyFiles, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), denyFiles({ read: ["/etc/passwd"] }));
 * const { stdout } = await box.command("cat", { args: ["/etc/passwd"] }).output();
 * console.log(stdout.length); // 0
 * ```
 */
export function denyFiles(files: DeniedFiles): DenyFilesStep {
  return { step: "denyFiles", ...files };
}

/** What the data of `denyFiles` may be. */
export const denyFilesSchema: StepSchema<DenyFilesStep> = stepSchema("denyFiles", () => ({
  read: optional(list(absolutePath())),
  write: optional(list(absolutePath())),
}));
