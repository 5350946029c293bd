/**
 * The steps that say who is who in a user namespace: `mapRoot`, `mapCurrentUser` and `mapIds`. See
 * user_namespaces(7).
 *
 * @module
 */

import { id, integer, list, object, oneOf, optional } from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";
import type { IdRange } from "./id_range.ts";

/** Makes the caller root in the user namespace. */
export interface MapRootStep {
  /** Which step it is. */
  readonly step: "mapRoot";
}

/**
 * Maps root of the container's user namespace to the user who runs the recipe, as
 * `unshare --map-root-user` does. All other ids are unmapped, and setgroups(2) is denied. Needs
 * `unshare("user")` before it, and no privilege.
 *
 * @throws {RecipeError} when it is planned without `unshare("user")` before it, or behind another
 * step that maps ids
 * @throws {SyscallError} when it is run: `EACCES` where an ordinary user's recipe joins others,
 * too, from whom the container is closed off meanwhile, `EACCES` or `EPERM` where AppArmor leaves
 * ordinary users no rights in their user namespaces
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

/** Keeps the caller's own ids in the user namespace. */
export interface MapCurrentUserStep {
  /** Which step it is. */
  readonly step: "mapCurrentUser";
}

/**
 * Maps the user who runs the recipe to itself, as `unshare --map-current-user` does. The program
 * then runs without capabilities, as execve(2) takes them from all but root. Needs
 * `unshare("user")` before it, and no privilege.
 *
 * @throws {RecipeError} when it is planned without `unshare("user")` before it, or behind another
 * step that maps ids
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
export function mapCurrentUser(): MapCurrentUserStep {
  return { step: "mapCurrentUser" };
}

/** What the data of `mapCurrentUser` may be. */
export const mapCurrentUserSchema: StepSchema<MapCurrentUserStep> = stepSchema(
  "mapCurrentUser",
  () => ({}),
);

/** Maps ranges of ids into the user namespace. */
export interface MapIdsStep {
  /** Which step it is. */
  readonly step: "mapIds";
  /** The ranges of user ids. */
  readonly uids: readonly IdRange[];
  /** The ranges of group ids. */
  readonly gids: readonly IdRange[];
  /**
   * Whether programs may set their supplementary groups. An ordinary user who maps only the own
   * group has to deny it, as dropping a group could open files to them (user_namespaces(7)).
   */
  readonly setgroups?: "allow" | "deny";
}

/**
 * Maps ranges of user and group ids into the container's user namespace. Needs `unshare("user")`
 * before it.
 *
 * One id each, the caller's own, the container maps itself. A privileged caller writes any ranges
 * from outside. For an ordinary one `newuidmap` and `newgidmap` (Debian: uidmap) write what
 * /etc/subuid and /etc/subgid give to that user.
 *
 * @throws {RecipeError} where ranges overlap, or go beyond the last id
 * @throws {RecipeError} when it is planned without `unshare("user")` before it, behind another step
 * that maps ids, or in a user namespace within one of the container's
 * @throws {UnsupportedError} when it is run by an ordinary user who has no newuidmap and newgidmap,
 * or to whom /etc/subuid and /etc/subgid do not give the ids
 * @throws {SyscallError} when it is run: `EPERM` where the ids outside are not there to be given,
 * as the script is in a user namespace without them
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

/** Kernel limit of lines in a map (user_namespaces(7), since Linux 4.15). */
const MAP_LINES = 340;

/** It has to be less than a page, too. */
const MAP_BYTES = 4095;

/** The one behind it means none to the kernel. */
const LAST_ID = 0xffff_fffe;

/** What the data of `mapIds` may be. */
export const mapIdsSchema: StepSchema<MapIdsStep> = stepSchema("mapIds", () => {
  const range = object({ inside: id(), outside: id(), count: integer(1, 0xffff_ffff) });
  return {
    uids: list(range, 1),
    gids: list(range, 1),
    setgroups: optional(oneOf(["allow", "deny"])),
  };
}, ({ uids, gids }) => {
  return contradiction("uids", uids) ?? contradiction("gids", gids);
});

/** Shared with the lowering. */
export function mapText(ranges: readonly IdRange[]): string {
  return ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("");
}

function contradiction(name: string, ranges: readonly IdRange[]): string | undefined {
  if (ranges.length > MAP_LINES) return `"${name}" has more than ${MAP_LINES} ranges`;
  const size = mapText(ranges).length;
  if (size > MAP_BYTES) {
    return `"${name}" has ${size} bytes as a map; the kernel takes ${MAP_BYTES}`;
  }
  for (const [i, a] of ranges.entries()) {
    if (Math.max(a.inside, a.outside) + a.count > LAST_ID + 1) {
      return `"${name}", range ${i + 1}, goes beyond the last id, ${LAST_ID}`;
    }
    for (const [j, b] of ranges.slice(0, i).entries()) {
      for (const side of ["inside", "outside"] as const) {
        if (a[side] < b[side] + b.count && b[side] < a[side] + a.count) {
          return `"${name}" contradicts itself: ranges ${j + 1} and ${i + 1} overlap ${side}`;
        }
      }
    }
  }
  return undefined;
}
