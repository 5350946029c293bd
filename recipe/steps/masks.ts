/**
 * The steps that take files out of a program's reach: `maskPaths` and `readonlyPaths`.
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
 * Hides files and directories: /dev/null lies over a file, an empty directory that can only be read over a
 * directory. What is missing is left out. Needs `unshare("mount")` before it, and Linux 5.2.
 *
 * Who may mount in the container can take it away again: `capabilities({ keep: [] })` sees to it
 * that nobody may.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or for `/`
 * @throws {SyscallError} when it is run: `EACCES` where a directory on the way may not be searched,
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

/** What the data of `maskPaths` may be. */
export const maskPathsSchema: StepSchema<MaskPathsStep> = stepSchema(
  "maskPaths",
  () => ({ paths: list(absolutePath(), 1) }),
);

/** Makes files and directories unchangeable. */
export interface ReadonlyPathsStep {
  /** The name of the step. */
  readonly step: "readonlyPaths";
  /** The files and directories. */
  readonly paths: readonly string[];
}

/**
 * Keeps files, and directories with all that is mounted beneath them, from being changed: they can only
 * be read. What is missing is left out. Needs `unshare("mount")` before it, and Linux 5.12.
 *
 * Who may mount in the container can take it away again: `capabilities({ keep: [] })` sees to it
 * that nobody may.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or for `/`
 * @throws {SyscallError} when it is run: `EACCES` where a directory on the way may not be searched,
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
