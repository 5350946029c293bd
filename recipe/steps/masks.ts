/**
 * The steps that hide and protect files: `maskPaths` and `readonlyPaths`.
 *
 * @module
 */

import { absolutePath, list } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Hides files and directories. */
export interface MaskPathsStep {
  /** The name of the step. */
  readonly step: "maskPaths";
  /** The files and directories. */
  readonly paths: readonly string[];
}

/**
 * Hides files and directories: an empty file is mounted over a file, and an empty directory over a
 * directory. Both are read-only: a masked file reads as empty, and a write to it fails with `EROFS`.
 * Missing paths are skipped. Needs `unshare("mount")` before it, and in a user namespace mapped ids,
 * as the container makes the empty file. Directories of the host on the way are mounted on
 * themselves, so that the program cannot move them away.
 *
 * A program that may mount in the container can unmount it again; `capabilities({ keep: [] })`
 * prevents that.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, in a user namespace
 * without a step that maps ids, or for `/`
 * @throws {SyscallError} when it is run: `EACCES` where the user may not search a directory on the
 * way, `ELOOP` where a directory on the way is a symbolic link of a bind mount that can be changed,
 * `ENOSYS` before Linux 5.12
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

/** What the data of `maskPaths` may be. */
export const maskPathsSchema: StepSchema<MaskPathsStep> = stepSchema(
  "maskPaths",
  () => ({ paths: list(absolutePath(), 1) }),
);

/** Makes files and directories read-only. */
export interface ReadonlyPathsStep {
  /** The name of the step. */
  readonly step: "readonlyPaths";
  /** The files and directories. */
  readonly paths: readonly string[];
}

/**
 * Makes files read-only, and directories with all mounts beneath them. Missing paths are skipped.
 * Directories of the host on the way are mounted on themselves, so that the program cannot move
 * them away. Needs `unshare("mount")` before it.
 *
 * A program that may mount in the container can remount it again; `capabilities({ keep: [] })`
 * prevents that.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or for `/`
 * @throws {SyscallError} when it is run: `EACCES` where the user may not search a directory on the
 * way, `ELOOP` where a directory on the way is a symbolic link of a bind mount that can be changed,
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

/** What the data of `readonlyPaths` may be. */
export const readonlyPathsSchema: StepSchema<ReadonlyPathsStep> = stepSchema(
  "readonlyPaths",
  () => ({ paths: list(absolutePath(), 1) }),
);
