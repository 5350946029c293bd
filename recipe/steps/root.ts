/**
 * The steps that change the root and the working directory: `pivotRoot`, `chroot` and `chdir`.
 *
 * @module
 */

import { normalize } from "../path.ts";
import { absolutePath, path as pathField } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Makes a directory the root, and unmounts the old root. */
export interface PivotRootStep {
  /** The name of the step. */
  readonly step: "pivotRoot";
  /** The directory. */
  readonly path: string;
}

/**
 * Makes a directory the root of the container's mount namespace, and unmounts the old root: nothing
 * of it can be reached any more, and no directory for it remains. The working directory is then
 * `/`. A directory of the host has no devices then (`nodev`), unless `bind` has mounted it with some;
 * `devices()` makes those that programs need. Needs `unshare("mount")` before it. See pivot_root(2).
 *
 * @throws {RecipeError} for `/`, which is the root already; when it is planned without
 * `unshare("mount")` before it
 * @throws {SyscallError} when it is run: `ENOENT` where the directory does not exist, `ENOTDIR`
 * where it is not a directory, `EACCES` where the user may not search it, `EINVAL` where it is on a
 * shared mount, or the root is the initial ramdisk
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

/** What the data of `pivotRoot` may be. */
export const pivotRootSchema: StepSchema<PivotRootStep> = stepSchema(
  "pivotRoot",
  () => ({ path: absolutePath() }),
  ({ path }) => normalize(path) === "/" ? "/ is the root already" : undefined,
);

/** Makes a directory the root of the program. */
export interface ChrootStep {
  /** The name of the step. */
  readonly step: "chroot";
  /** The directory. */
  readonly path: string;
}

/**
 * Makes a directory the root for the program, and `/` the working directory. A program that runs as
 * root can leave it; `pivotRoot` is the safe step. See chroot(2).
 *
 * @throws {SyscallError} when it is run: `EPERM` without CAP_SYS_CHROOT, which an ordinary user has
 * in a user namespace only, `ENOENT` where the directory does not exist, `ENOTDIR` where it is not
 * a directory
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

/** What the data of `chroot` may be. */
export const chrootSchema: StepSchema<ChrootStep> = stepSchema(
  "chroot",
  () => ({ path: absolutePath() }),
);

/** Changes the working directory. */
export interface ChdirStep {
  /** The name of the step. */
  readonly step: "chdir";
  /** The directory. */
  readonly path: string;
}

/**
 * Changes the working directory, in the file tree as it is at this step. Needs no privilege. See
 * chdir(2).
 *
 * @throws {SyscallError} when it is run: `ENOENT` where the directory does not exist, `ENOTDIR`
 * where it is not a directory, `EACCES` where the user may not enter it, `ELOOP` where a link in
 * /proc on the way would lead out of the container
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

/** What the data of `chdir` may be. */
export const chdirSchema: StepSchema<ChdirStep> = stepSchema(
  "chdir",
  () => ({ path: pathField() }),
);
