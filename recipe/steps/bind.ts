/**
 * The step `bind`: files of the host, seen in the container. See open_tree(2), mount_setattr(2)
 * and move_mount(2).
 *
 * @module
 */

import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
} from "../../ffi/calls/constants/mounts.ts";
import { absolutePath, boolean, list, oneOf, optional, path } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** What a bound file must not be used for. */
export type BindRestriction = "nosuid" | "nodev" | "noexec" | "nosymfollow";

/** Shared with the lowering. */
export const RESTRICTIONS: Readonly<Record<BindRestriction, number>> = {
  nosuid: MOUNT_ATTR_NOSUID,
  nodev: MOUNT_ATTR_NODEV,
  noexec: MOUNT_ATTR_NOEXEC,
  nosymfollow: MOUNT_ATTR_NOSYMFOLLOW,
};

/** Shows a directory or file of the host in the container. */
export interface BindStep extends BindOptions {
  /** Which step it is. */
  readonly step: "bind";
  /** What is shown. */
  readonly source: string;
  /** Where it is shown. */
  readonly target: string;
}

/** Options of {@linkcode bind}. */
export interface BindOptions {
  /** Whether it can only be read: it and, where `recursive`, all that is mounted below it. */
  readonly readOnly?: boolean;
  /**
   * Whether what is mounted below the source is shown too. An ordinary user cannot leave it away,
   * as that could uncover what the mounts hide (mount_namespaces(7)).
   *
   * @default {true}
   */
  readonly recursive?: boolean;
  /** Whether the step is left out when the source does not exist. */
  readonly optional?: boolean;
  /** What the files must not be used for, as mount(8) calls it. */
  readonly restrict?: readonly BindRestriction[];
}

/**
 * Shows a directory or file of the host in the container: at the same place, or at another. A mount
 * point that is missing is made on filesystems that the recipe has mounted, and an error elsewhere.
 * Needs `unshare("mount")` before it, and Linux 5.2; with `readOnly` or `restrict`, Linux 5.12.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or onto `/`
 * @throws {SyscallError} when it is run: `ENOENT` where the source does not exist, or the mount
 * point on a filesystem of the host's, `EACCES` where a directory on the way may not be searched,
 * `EINVAL` for a directory on a file or a file on a directory, and for an ordinary user who leaves away
 * mounts below the source
 *
 * @example
 * ```ts
 * import { bind, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   bind("/usr", "/usr", { readOnly: true }),
 * );
 * const { success } = await box.command("touch", { args: ["/usr/a"], stderr: "null" }).output();
 * console.log(success); // false
 * ```
 */
export function bind(source: string, target: string = source, options: BindOptions = {}): BindStep {
  return { step: "bind", source, target, ...options };
}

/** What the data of `bind` may be. */
export const bindSchema: StepSchema<BindStep> = stepSchema("bind", () => ({
  source: path(),
  target: absolutePath(),
  readOnly: optional(boolean()),
  recursive: optional(boolean()),
  optional: optional(boolean()),
  restrict: optional(list(oneOf(Object.keys(RESTRICTIONS)))),
}));
