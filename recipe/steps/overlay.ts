/**
 * The step `overlay`: directories laid over one another. See Documentation/filesystems/overlayfs.rst.
 *
 * @module
 */

import { absolutePath, boolean, list, optional } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Lays directories over one another. */
export interface OverlayStep extends OverlayOptions {
  /** The name of the step. */
  readonly step: "overlay";
  /** The directory where they are seen as one. */
  readonly target: string;
}

/** Options of {@linkcode overlay}. */
export interface OverlayOptions {
  /** The directories that are read, the topmost first. */
  readonly lower: readonly string[];
  /** The directory that takes what is written. */
  readonly upper?: string;
  /** An empty directory beside `upper`, on the same filesystem, which the kernel needs for itself. */
  readonly work?: string;
  /** Whether what is written goes to memory and is thrown away, in place of `upper` and `work`. */
  readonly discard?: boolean;
}

/**
 * Lays directories over one another: what is written goes to `upper`, or with `discard` to memory, and
 * the lower directories stay as they are. With neither, the overlay can only be read, and needs two
 * lower directories. Needs `unshare("mount")` before it; in a user namespace, Linux 5.11.
 *
 * @throws {RecipeError} where there is `upper` without `work` or beside `discard`, or with none of
 * them but one lower directory
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, onto `/`, or with
 * more than 4095 bytes of directories
 * @throws {SyscallError} when it is run: `ENOENT` where one of the directories does not exist, `EINVAL`
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

/** What the data of `overlay` may be. */
export const overlaySchema: StepSchema<OverlayStep> = stepSchema("overlay", () => ({
  target: absolutePath(),
  lower: list(absolutePath(), 1),
  upper: optional(absolutePath()),
  work: optional(absolutePath()),
  discard: optional(boolean()),
}), ({ lower, upper, work, discard }) => {
  if ((upper === undefined) !== (work === undefined)) return `"upper" and "work" go together`;
  if (upper !== undefined && discard === true) return `"discard" takes the place of "upper"`;
  if (upper === undefined && discard !== true && lower.length < 2) {
    return `without "upper" or "discard" there have to be two lower directories`;
  }
  return undefined;
});
