/**
 * The step `bind`: files of the host in the container. See open_tree(2), mount_setattr(2) and
 * move_mount(2).
 *
 * @module
 */

import {
  absolutePath,
  boolean,
  list,
  object,
  oneOf,
  optional,
  path,
  type Schema,
  text,
  withDefaultOf,
} from "../schema.ts";
import { quoted } from "../shown.ts";
import { idRanges, rangesIssue } from "./id_maps.ts";
import type { IdRange } from "./id_range.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** What a bound file cannot be used for, by the option of mount(8). */
export type BindRestriction = "nosuid" | "nodev" | "noexec" | "nosymfollow";

/** All of them. */
const RESTRICTIONS: readonly BindRestriction[] = ["nosuid", "nodev", "noexec", "nosymfollow"];

/** Makes a directory or file of the host visible in the container. */
export interface BindStep extends BindOptions {
  /** The name of the step. */
  readonly step: "bind";
  /** The directory or file of the host. */
  readonly source: string;
  /** Its path in the container. */
  readonly target: string;
}

/** Options of {@linkcode bind}. */
export interface BindOptions {
  /** Whether it is read-only, with all mounts below it unless `recursive` is false. */
  readonly readOnly?: boolean;
  /**
   * Whether the mounts below the source are bound too. An ordinary user cannot leave them out, as
   * that could uncover what they hide (mount_namespaces(7)).
   *
   * @default {true}
   */
  readonly recursive?: boolean;
  /** Whether the step is left out when the source does not exist. */
  readonly optional?: boolean;
  /**
   * What the files cannot be used for, by the options of mount(8). A read-only mount keeps no program
   * from writing to a device that lies there, so devices are in it only with a list that lacks
   * `nodev`: `[]`.
   *
   * @default {["nodev"]}, and nothing for a device, for /dev, and for directories in it or around it
   */
  readonly restrict?: readonly BindRestriction[];
  /**
   * Only these of the files in the directory, each where it is there and all users may read it:
   * `["hosts", "ssl/certs", "java*-openjdk"]`, in which `*` is any text without a `/`. The names in
   * the directory are looked up once.
   *
   * @default {the whole directory}
   */
  readonly entries?: readonly string[];
  /**
   * Those of the files in the entries that are covered by empty ones, in the same form.
   *
   * @default {none}
   */
  readonly hide?: readonly string[];
  /**
   * Whether the program is not trusted with the source. Where it can write, it may leave symbolic
   * links for the next container: no path of the recipe is followed on the host over a link that
   * lies there, by whichever name the path gets there; an optional step is left out then.
   * Filesystems of the kernel that are mounted below the source, such as the /proc of a chroot, are
   * covered by empty directories.
   */
  readonly untrusted?: boolean;
  /**
   * Whether a mount point that is missing is made, also where it is on the host's files and remains
   * there: a directory for a directory, an empty file for anything else. On a filesystem of the
   * recipe it is made in any case.
   */
  readonly make?: boolean;
  /**
   * Whether the script opens the source, before the container has a user namespace, whose root may
   * not be let through to it. That takes CAP_SYS_ADMIN.
   */
  readonly early?: boolean;
  /**
   * Whether what the container mounts below the target appears outside below the source, where it
   * stays, and the other way round, if the source lies on a shared mount (mount_namespaces(7)). The
   * script opens the source, which takes CAP_SYS_ADMIN.
   */
  readonly shared?: boolean;
  /**
   * Shows the files as those of other owners, and makes new ones as those of the first: files of
   * `inside` are seen as those of `outside`, by the ids of the user who runs the recipe. So a
   * container whose root is 100000 outside has files of root with `{ inside: 0, outside: 100000,
   * count: 65536 }`. That takes root of the host, and a filesystem that can do it. See
   * mount_setattr(2), "ID-mapped mounts".
   */
  readonly idMap?: BindIdMap;
}

/** How the owners of files are shown. */
export interface BindIdMap {
  /** The ranges of user ids. */
  readonly uids: readonly IdRange[];
  /** The ranges of group ids. */
  readonly gids: readonly IdRange[];
  /**
   * Whether the mounts below the source are shown so too, where they are bound.
   *
   * @default {true}
   */
  readonly recursive?: boolean;
}

/**
 * Makes a directory or file of the host visible in the container, at the same path or at another. A
 * missing mount point is created on filesystems that the recipe has mounted, and is an error
 * elsewhere. Needs `unshare("mount")` before it.
 *
 * What is read-only in a directory that can be changed stays where it is: the directories on the way
 * to it are mounted on themselves, so that the program cannot move them away.
 *
 * With `entries` only some files of a directory are shown, those that there are.
 *
 * The source is the file that its path leads to when the recipe is planned. Where the path has got
 * a symbolic link on the way since then, the step fails.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or onto `/`; with
 * `entries` for a source that is no directory of the host; with `untrusted` for a source that is a filesystem of the kernel, and for a path that leads over a link
 * which the program may have made
 * @throws {SyscallError} when it is run: `ENOENT` where the source does not exist, or the mount
 * point on a filesystem of the host's, `EACCES` where the user may not search a directory on the
 * way, `EINVAL` for a directory on a file or a file on a directory, and for an ordinary user who
 * leaves out the mounts below the source, and where the files cannot be shown by an `idMap`, `ELOOP` where the source or the mount point has got a
 * symbolic link on the way since the recipe was planned, or has one in a directory that can be
 * changed and it is read-only
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

/** The path of an entry of a directory. */
function entry(): Schema {
  return text({
    expected: "a name in the directory, or a path from there",
    min: 1,
    max: 4095,
    pattern: "^[^/]",
    issue(path) {
      const isPath = path.split("/").every((name) => !["", ".", ".."].includes(name));
      return isPath
        ? undefined
        : `${quoted(path)} is no name in a directory, and no path from there`;
    },
  });
}

/** What the data of `bind` may be. */
export const bindSchema: StepSchema<BindStep> = stepSchema(
  "bind",
  () => ({
    source: path(),
    target: withDefaultOf(absolutePath(), "source"),
    readOnly: optional(boolean()),
    recursive: optional(boolean()),
    optional: optional(boolean()),
    entries: optional(list(entry(), 1)),
    hide: optional(list(entry())),
    restrict: optional(list(oneOf(RESTRICTIONS))),
    untrusted: optional(boolean()),
    make: optional(boolean()),
    early: optional(boolean()),
    shared: optional(boolean()),
    idMap: optional(
      object({ uids: idRanges(), gids: idRanges(), recursive: optional(boolean()) }),
    ),
  }),
  ({ entries, hide, idMap }) => {
    if (hide !== undefined && entries === undefined) {
      return '"hide" is about the files in "entries"; maskPaths() hides any path';
    }
    if (idMap === undefined) return undefined;
    return rangesIssue("idMap.uids", idMap.uids) ?? rangesIssue("idMap.gids", idMap.gids);
  },
);
