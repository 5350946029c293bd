/**
 * The step `programs`: programs with their loader and their libraries, in a new root.
 *
 * @module
 */

import { absolutePath, boolean, list, optional } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Puts programs with all that they need into a new root. */
export interface ProgramsStep extends ProgramsOptions {
  /** The name of the step. */
  readonly step: "programs";
  /** The programs. */
  readonly programs: readonly string[];
}

/** Options of {@linkcode programs}. */
export interface ProgramsOptions {
  /** The new root; without it, the one that the next `pivotRoot` or `chroot` enters. */
  readonly root?: string;
  /** Whether the files are copied. Else they are bound: the host's own, which can only be read. */
  readonly copy?: boolean;
}

/**
 * Puts programs into a new root, each at its own path there, with their loader and the libraries
 * that they name: those that the loader would find on the host (ld.so(8)), read from the files
 * themselves when the recipe is planned. A script brings its interpreter. What a program looks for
 * only when it runs is not seen: plugins, locales, the modules of a language, and what
 * `/usr/bin/env` starts. A program that looks for libraries beside itself (`$ORIGIN`) needs a /proc
 * in the new root to know where that is.
 *
 * The new root has to be a filesystem of the recipe, such as a tmpfs. Needs `unshare("mount")`
 * before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, where no new root
 * comes after it and `root` names none, or where that is no filesystem of the recipe; for a program
 * that is missing, cannot be read, or is no program, and for one that lacks a library
 * @throws {SyscallError} when it is run: `ENOSPC` where the new root is too small for what is
 * copied
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
