/**
 * The step `overlay`: directories merged into one. See Documentation/filesystems/overlayfs.rst.
 *
 * @module
 */

import { absolutePath, boolean, list, modeBits, optional } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";
import { tmpfsSize } from "./mounts.ts";

/** Merges directories into one. */
export interface OverlayStep extends OverlayOptions {
  /** The name of the step. */
  readonly step: "overlay";
  /** The directory to mount on. */
  readonly target: string;
}

/** Options of {@linkcode overlay}. */
export interface OverlayOptions {
  /** The directories below, which do not change, the topmost first. */
  readonly lower: readonly string[];
  /** The directory that takes all changes. */
  readonly upper?: string;
  /** An empty directory on the filesystem of `upper`, for the kernel's own use. */
  readonly work?: string;
  /** Whether changes go to memory and are discarded, in place of `upper` and `work`. */
  readonly discard?: boolean;
  /**
   * With `discard`, how much memory the changes may take, as tmpfs(5) has it: in bytes, or with `k`,
   * `m`, `g`, or `%` of memory.
   *
   * @default {"50%"}
   */
  readonly size?: string;
  /**
   * With `discard`, the mode of the directory.
   *
   * @default {that of the topmost lower directory}
   */
  readonly mode?: number;
  /**
   * Whether the program is not trusted with the lower directory, which then is shown as `bind()` shows
   * one: `protect()` and `denyFiles()` find their files in it, what is mounted on it has to be there
   * unless changes are discarded, and it has no devices and no set-user-ID programs. Where a denied or protected name is missing,
   * it can be made, as that changes `upper` alone. Needs `upper` or `discard`, and one lower directory.
   */
  readonly untrusted?: boolean;
}

/**
 * Merges directories into one: changes go to `upper`, or with `discard` to memory, and the lower
 * directories stay the same. With neither, the overlay is read-only, and needs two lower
 * directories. Needs `unshare("mount")` before it.
 *
 * @throws {RecipeError} for `upper` without `work` or with `discard`, for a single lower directory
 * with none of them, for `size` or `mode` without `discard`, and for `untrusted` with neither `upper` nor `discard`, or with several lower directories
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, onto `/`, or with
 * more directories than fit into the 4095 bytes of options that mount(2) takes; with `untrusted` for
 * a lower directory that is none of the host, or a filesystem of the kernel
 * @throws {SyscallError} when it is run: `ENOENT` where one of the directories does not exist,
 * `ENOTDIR` where the target or a lower one is not a directory, `EINVAL` where `upper` or `work` is
 * not one, they are on different filesystems, or one lies in the other, and where in a user
 * namespace a filesystem of the host's is mounted below a lower one, `ENODEV` where this kernel has
 * no overlayfs
 *
 * @example Changes of the host's files that are discarded
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
  size: optional(tmpfsSize()),
  mode: optional(modeBits()),
  untrusted: optional(boolean()),
}), ({ lower, upper, work, discard, size, mode, untrusted }) => {
  if ((upper === undefined) !== (work === undefined)) return `"upper" and "work" go together`;
  if (upper !== undefined && discard === true) return `"discard" takes the place of "upper"`;
  if (discard !== true && (size !== undefined || mode !== undefined)) {
    return `"size" and "mode" are for "discard", whose changes are in memory`;
  }
  if (upper === undefined && discard !== true && lower.length < 2) {
    return `needs two lower directories without "upper" or "discard"`;
  }
  if (untrusted === true && (upper === undefined && discard !== true || lower.length > 1)) {
    return `"untrusted" needs "upper" or "discard", and one lower directory`;
  }
  return undefined;
});
