/**
 * The steps that map user and group ids into a user namespace: `mapRoot`, `mapCurrentUser` and
 * `mapIds`. See user_namespaces(7).
 *
 * @module
 */

import { boolean, id, integer, list, object, oneOf, optional, type Schema } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";
import type { IdRange } from "./id_range.ts";

/** Maps root of the user namespace to the caller. */
export interface MapRootStep {
  /** The name of the step. */
  readonly step: "mapRoot";
}

/**
 * Maps root of the container's user namespace to the user who runs the recipe, as
 * `unshare --map-root-user` does. All other ids are unmapped, and setgroups(2) is denied. Needs
 * `unshare("user")` before it, and no privilege.
 *
 * @throws {RecipeError} when it is planned without `unshare("user")` before it, or after another
 * step that maps ids
 * @throws {SyscallError} when it is run: `EACCES` where an ordinary user's recipe also joins
 * namespaces, as processes in them must not see the container meanwhile, `EACCES` or `EPERM` where
 * AppArmor denies ordinary users all capabilities in their user namespaces, `ENOENT` where there is
 * no /proc, `EINVAL` where /proc is not procfs, `EROFS` where it is read-only
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(unshare("user"), mapRoot()).command("id", { args: ["-u"] })
 *   .output();
 * console.log(new TextDecoder().decode(stdout)); // 0
 * ```
 */
export function mapRoot(): MapRootStep {
  return { step: "mapRoot" };
}

/** What the data of `mapRoot` may be. */
export const mapRootSchema: StepSchema<MapRootStep> = stepSchema("mapRoot", () => ({}));

/** Maps the caller's own ids to themselves. */
export interface MapCurrentUserStep extends MapCurrentUserOptions {
  /** The name of the step. */
  readonly step: "mapCurrentUser";
}

/** The options of {@linkcode mapCurrentUser}. */
export interface MapCurrentUserOptions {
  /**
   * Whether the caller's supplementary groups are dropped. Root's always are. The kernel lets an
   * ordinary user drop them where more groups than the own one are mapped (user_namespaces(7)), so
   * `newgidmap` (Debian: uidmap) maps one of those that /etc/subgid grants to that user.
   *
   * @default {false}
   */
  readonly dropGroups?: boolean;
}

/**
 * Maps the user who runs the recipe to the same id, as `unshare --map-current-user` does. The
 * program then runs without capabilities, as execve(2) removes them from all users but root. Needs
 * `unshare("user")` before it, and no privilege.
 *
 * @throws {RecipeError} when it is planned without `unshare("user")` before it, or after another
 * step that maps ids; with `dropGroups` by an ordinary user to whom /etc/subgid grants no group, or
 * in a user namespace that denies setgroups(2)
 * @throws {UnsupportedError} when it is run with `dropGroups` by an ordinary user without newgidmap
 * @throws {SyscallError} when it is run: as {@linkcode mapRoot}
 *
 * @example
 * ```ts
 * import { mapCurrentUser, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user"), mapCurrentUser());
 * const { stdout } = await box.command("id", { args: ["-u"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 1000, where that is your id
 * ```
 */
export function mapCurrentUser(options: MapCurrentUserOptions = {}): MapCurrentUserStep {
  return { step: "mapCurrentUser", ...options };
}

/** What the data of `mapCurrentUser` may be. */
export const mapCurrentUserSchema: StepSchema<MapCurrentUserStep> = stepSchema(
  "mapCurrentUser",
  () => ({ dropGroups: optional(boolean()) }),
);

/** Maps ranges of ids into the user namespace. */
export interface MapIdsStep {
  /** The name of the step. */
  readonly step: "mapIds";
  /** The ranges of user ids. */
  readonly uids: readonly IdRange[];
  /** The ranges of group ids. */
  readonly gids: readonly IdRange[];
  /**
   * Whether programs may set their supplementary groups. An ordinary user who maps only the own
   * group has to deny it, as a program that drops a group may gain access (user_namespaces(7)).
   */
  readonly setgroups?: "allow" | "deny";
}

/**
 * Maps ranges of user and group ids into the container's user namespace. Needs `unshare("user")`
 * before it.
 *
 * The container itself maps a single id each, the caller's own. The script of a privileged user
 * writes any other ranges from outside; for an ordinary user `newuidmap` and `newgidmap` (Debian:
 * uidmap) write the ranges that /etc/subuid and /etc/subgid grant to that user.
 *
 * Where the ranges do not contain the caller's own user or group, the container becomes root of the
 * user namespace, or has the first id of the ranges where they have no root.
 *
 * @throws {RecipeError} where ranges overlap, or go beyond the last id
 * @throws {RecipeError} when it is planned without `unshare("user")` before it, after another step
 * that maps ids, or in a user namespace within one of the container's
 * @throws {UnsupportedError} when it is run by an ordinary user without newuidmap and newgidmap, or
 * with ids that /etc/subuid and /etc/subgid do not grant
 * @throws {SyscallError} when it is run: `EPERM` where the ids outside do not exist, as the script
 * is in a user namespace without them
 *
 * @example
 * ```ts
 * import { mapIds, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user"),
 *   mapIds({
 *     uids: [{ inside: 0, outside: 1000, count: 1 }, { inside: 1, outside: 100000, count: 65535 }],
 *     gids: [{ inside: 0, outside: 1000, count: 1 }, { inside: 1, outside: 100000, count: 65535 }],
 *   }),
 * );
 * console.log(box.steps.length);
 * ```
 */
export function mapIds(maps: Omit<MapIdsStep, "step">): MapIdsStep {
  return { step: "mapIds", ...maps };
}

/** The most lines of a map that the kernel takes (user_namespaces(7), since Linux 4.15). */
const MAP_LINES = 340;

/** The most bytes: a map has to be less than a page. */
const MAP_BYTES = 4095;

/** The last id: the number after it means "no id" to the kernel. */
const LAST_ID = 0xffff_fffe;

/** What the data of `mapIds` may be. */
export const mapIdsSchema: StepSchema<MapIdsStep> = stepSchema("mapIds", () => ({
  uids: idRanges(),
  gids: idRanges(),
  setgroups: optional(oneOf(["allow", "deny"])),
}), ({ uids, gids }) => {
  return rangesIssue("uids", uids) ?? rangesIssue("gids", gids);
});

/** Ranges of ids. */
export function idRanges(): Schema {
  return list(object({ inside: id(), outside: id(), count: integer(1, 0xffff_ffff) }), 1);
}

/** Returns the ranges as the text of /proc/PID/uid_map. */
export function mapText(ranges: readonly IdRange[]): string {
  return ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("");
}

/** Reports what is wrong with ranges, taken together. */
export function rangesIssue(name: string, ranges: readonly IdRange[]): string | undefined {
  if (ranges.length > MAP_LINES) return `"${name}" has more than ${MAP_LINES} ranges`;
  const size = mapText(ranges).length;
  if (size > MAP_BYTES) {
    return `"${name}" has ${size} bytes as a map; the kernel takes ${MAP_BYTES}`;
  }
  for (const [i, a] of ranges.entries()) {
    if (Math.max(a.inside, a.outside) + a.count > LAST_ID + 1) {
      return `"${name}": range ${i + 1} goes beyond the last id, ${LAST_ID}`;
    }
    for (const [j, b] of ranges.slice(0, i).entries()) {
      for (const side of ["inside", "outside"] as const) {
        if (a[side] < b[side] + b.count && b[side] < a[side] + a.count) {
          return `"${name}": the ranges ${j + 1} and ${i + 1} overlap ${side}`;
        }
      }
    }
  }
  return undefined;
}
