/**
 * The step `joinCgroup`: control groups that exist already. See cgroups(7).
 *
 * @module
 */

import { absolutePath, list } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Moves the container into control groups that exist. */
export interface JoinCgroupStep {
  /** The name of the step. */
  readonly step: "joinCgroup";
  /** The directories of the groups, one in each hierarchy. */
  readonly directories: readonly string[];
}

/**
 * Moves the container into control groups that exist already, which somebody else has made and
 * removes: one in each hierarchy of version 1, or the one of version 2. `limits` makes a group of
 * the container's own. Put it before `unshare("cgroup")`, whose root the group becomes. Needs the
 * right to write to the groups.
 *
 * @throws {SyscallError} when it is run: `ENOENT` where there is no such group, `EACCES` where this
 * user may not move processes into it, `EBUSY` for a group of version 2 whose controllers its
 * children have
 *
 * @example
 * ```ts
 * import { joinCgroup, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(joinCgroup("/sys/fs/cgroup/jobs/a"), unshare("user", "cgroup"));
 * console.log(box.steps.length); // it runs where there is such a group
 * ```
 */
export function joinCgroup(...directories: string[]): JoinCgroupStep {
  return { step: "joinCgroup", directories };
}

/** What the data of `joinCgroup` may be. */
export const joinCgroupSchema: StepSchema<JoinCgroupStep> = stepSchema(
  "joinCgroup",
  () => ({ directories: list(absolutePath(), 1) }),
);
