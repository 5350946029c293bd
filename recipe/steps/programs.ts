/**
 * The step `programs`: programs with their loader and libraries, in a new root.
 *
 * @module
 */

import { absolutePath, boolean, list, optional } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Adds programs with their loader and libraries to a new root. */
export interface ProgramsStep extends ProgramsOptions {
  /** The name of the step. */
  readonly step: "programs";
  /** The paths of the programs. */
  readonly programs: readonly string[];
}

/** Options of {@linkcode programs}. */
export interface ProgramsOptions {
  /** The new root; without it, the directory of the next `pivotRoot` or `chroot`. */
  readonly root?: string;
  /** Whether the files are copied. Otherwise the host's own are bound, read-only. */
  readonly copy?: boolean;
}

/**
 * Adds programs to a new root, at the same paths, with their loader and the libraries that they
 * name: those that the loader would find on the host (ld.so(8)), read from the files when the
 * recipe is planned. A script comes with its interpreter. Files that a program opens only when it
 * runs are not included: plugins, locales, the modules of a language, and what `/usr/bin/env`
 * starts. A program that searches for libraries next to itself (`$ORIGIN`) needs a /proc in the new
 * root.
 *
 * The new root has to be a filesystem of the recipe, such as a tmpfs. Needs `unshare("mount")`
 * before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, without `root` and
 * a new root after it, or with a new root that is not on a filesystem of the recipe; for a program
 * that is missing, cannot be read, is not a program, or lacks a library
 * @throws {SyscallError} when it is run: `ENOSPC` where the new root is too small for the copies
 *
 * @example A root with nothing but bash and ls
 * ```ts
 * import { mapRoot, pivotRoot, programs, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   tmpfs("/mnt"),
 *   programs("/bin/bash", "/bin/ls"),
 *   pivotRoot("/mnt"),
 * );
 * const { stdout } = await box.command("bash", { args: ["-c", "ls /bin"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // bash ls
 * ```
 */
export function programs(...paths: string[] | [...string[], ProgramsOptions]): ProgramsStep {
  const last = paths.at(-1);
  const options = typeof last === "object" ? last : {};
  const names = paths.filter((path) => typeof path !== "object");
  return { step: "programs", programs: names as string[], ...options };
}

/** What the data of `programs` may be. */
export const programsSchema: StepSchema<ProgramsStep> = stepSchema("programs", () => ({
  programs: list(absolutePath(), 1),
  root: optional(absolutePath()),
  copy: optional(boolean()),
}));
