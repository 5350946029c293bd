/**
 * The step `root`: a directory with a system in it becomes the root, with what every system needs.
 *
 * @module
 */

import { ipAddress } from "../network_schema.ts";
import { isWithin, normalize } from "../path.ts";
import {
  absolutePath,
  boolean,
  dictionary,
  either,
  object,
  optional,
  path,
  type Schema,
  text,
} from "../schema.ts";
import { quoted } from "../shown.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Makes a directory the root, with the filesystems of the kernel in it. */
export interface RootStep extends RootDirectoryOptions {
  /** The name of the step. */
  readonly step: "root";
  /** The directory. */
  readonly directory: string;
}

/** Options of {@linkcode root}. */
export interface RootDirectoryOptions {
  /** Whether what the program changes goes to memory and is thrown away when it ends. */
  readonly discard?: boolean;
  /** Whether nothing of the directory can be changed. */
  readonly readOnly?: boolean;
  /** Whether it has this machine's /etc/resolv.conf, by which names are looked up. */
  readonly resolvConf?: boolean;
  /**
   * Its /etc/hosts: this machine's with `true`, or that of the loopback interface with these names and
   * their addresses: `{ db: "10.0.0.2" }`.
   *
   * @default {the directory's own}
   */
  readonly hosts?: boolean | Readonly<Record<string, string>>;
  /** Files and directories of this machine that are shown, by their paths in the new root. */
  readonly volumes?: Readonly<Record<string, RootVolume>>;
}

/** A file or directory of this machine that is shown in a root. */
export interface RootVolume {
  /** Its path on this machine. */
  readonly source: string;
  /** Whether it cannot be changed. */
  readonly readOnly?: boolean;
}

/**
 * Makes a directory with a system in it the root: an unpacked image, what debootstrap has made, a copy
 * of a container. It gets what every system needs: a /proc and a minimal /dev of the container, an
 * empty /tmp in memory, and with a network namespace of its own a read-only /sys. The old root is
 * unmounted. Needs `unshare("mount", "pid")` before it.
 *
 * What the program changes is changed in the directory, and mount points that are missing are made
 * there, unless `discard` or `readOnly` says otherwise. Paths are looked up as in the new root: no
 * link in it leads to this machine's files.
 *
 * It is the same as `bind()` or `overlay()` of the directory, `devices()`, `proc()`, `sysfs()`,
 * `tmpfs()`, a `bind()` of each volume, and `pivotRoot()`; `plan()` shows its calls. It restricts
 * nothing else: for a program that is not trusted, `sandbox({ root })` has a root with all protections.
 *
 * @throws {RecipeError} for `discard` with `readOnly`, and for a volume in /proc
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it
 * @throws {SyscallError} when it is run: `ENOENT` where the directory or the source of a volume does not
 * exist, or /etc/resolv.conf or /etc/hosts is a link in it that leads nowhere, `ENOTDIR` where it is
 * not a directory, `EPERM` in a user namespace without `unshare("pid")`, or where this machine's
 * /proc is covered, `EACCES` where a mount point is missing and the directory is another user's,
 * `EINVAL` with `discard` or `readOnly` where something is mounted below the directory, and the errors
 * of {@linkcode devices}
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, root, unshare } from "@ramekin/ramekin";
 *
 * const directory = "/srv/debian"; // as debootstrap makes one
 * const box = recipe(
 *   unshare("user", "mount", "pid"),
 *   mapRoot(),
 *   root(directory, { discard: true, volumes: { "/work": { source: "/usr/share" } } }),
 * );
 * console.log(box.steps.at(-1)); // { step: "root", directory: "/srv/debian", discard: true, ... }
 * ```
 */
export function root(directory: string, options: RootDirectoryOptions = {}): RootStep {
  return { step: "root", directory, ...options };
}

/** Where the new root is put together: a path of the host that no such root shows. */
export const ROOT_PLACE = "/proc/root";

/** What the data of `root` may be. */
export const rootSchema: StepSchema<RootStep> = stepSchema("root", () => ({
  directory: path(),
  discard: optional(boolean()),
  readOnly: optional(boolean()),
  resolvConf: optional(boolean()),
  hosts: optional(either(boolean(), dictionary(hostName(), ipAddress()))),
  volumes: optional(dictionary(
    absolutePath((target) => normalize(target) === "/" ? "/ is the directory's" : undefined),
    object({ source: path(), readOnly: optional(boolean()) }),
  )),
}), ({ directory, discard, readOnly, volumes = {} }) => {
  if (discard === true && readOnly === true) {
    return '"readOnly" leaves no changes that "discard" could throw away';
  }
  const covered = [directory, ...Object.values(volumes).map(({ source }) => source)]
    .find((source) => isWithin(normalize(source), "/proc"));
  if (covered === undefined) return undefined;
  return `${covered} cannot be shown, as the new root is put together at /proc`;
});

/** A name in /etc/hosts (hosts(5)). */
function hostName(): Schema {
  return text({
    expected: "the name of a host",
    min: 1,
    max: 253,
    pattern: "^[^\\s#]+$",
    issue: (name) =>
      /[\s#]/.test(name) ? `${quoted(name)} cannot be the name of a host in /etc/hosts` : undefined,
  });
}
