/**
 * The cgroup hierarchies that are visible to this process: that of version 2, those of version 1, or
 * both. See cgroups(7).
 *
 * @module
 */

import { at_fdcwd } from "../calls/files.ts";
import { readWholeText } from "../files/read_file.ts";
import { ifThere } from "../missing.ts";

/** A controller, by its name in version 2; `io` is `blkio` in version 1. */
export type Controller = "memory" | "cpu" | "cpuacct" | "cpuset" | "pids" | "io" | "freezer";

const CONTROLLERS: readonly Controller[] = [
  "memory",
  "cpu",
  "cpuacct",
  "cpuset",
  "pids",
  "io",
  "freezer",
];

/** A mounted hierarchy. */
export interface Hierarchy {
  /** The version of its interface. */
  readonly version: 1 | 2;
  /** The controllers of a hierarchy of version 1. In version 2, each group lists its own. */
  readonly controllers: ReadonlySet<Controller>;
  /** The directory of its topmost visible group. */
  readonly top: string;
  /** The directory of the group that this process is in. */
  readonly own: string;
}

/**
 * The hierarchies of control groups in which this process's own group is in sight; none where the
 * kernel has no control groups.
 *
 * @throws {SyscallError} `EACCES` where /proc is closed to this process
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { hierarchies } from "@ramekin/ramekin/host";
 *
 * for (const { version, own } of hierarchies()) console.log(`version ${version}: ${own}`);
 * ```
 */
export function hierarchies(): readonly Hierarchy[] {
  // The kernel may have no control groups, and /proc may not be mounted.
  const groups = ifThere(() => readWholeText(at_fdcwd, "/proc/self/cgroup"));
  if (groups === undefined) return [];
  return parseHierarchies(groups, readWholeText(at_fdcwd, "/proc/self/mountinfo"));
}

/** Reads /proc/self/cgroup and /proc/self/mountinfo together. */
export function parseHierarchies(groups: string, mountinfo: string): readonly Hierarchy[] {
  const mounts = mountinfo.split("\n").flatMap(parseMount);
  return groups.split("\n").filter(Boolean).flatMap((line) => {
    const [id, names = "", ...rest] = line.split(":");
    const version = id === "0" && names === "" ? 2 : 1;
    const words = names.split(",");
    const controllers = new Set(words.flatMap(controllerOf));
    if (version === 1 && controllers.size === 0) return [];
    const path = rest.join(":");
    for (const mount of mounts) {
      const same = mount.version === version &&
        (version === 2 || words.every((word) => mount.options.includes(word)));
      const own = same ? directoryIn(mount, path) : undefined;
      if (own !== undefined) return [{ version, controllers, top: mount.directory, own }];
    }
    return [];
  });
}

/** The controllers that a file of a group lists. */
export function controllersIn(text: string): ReadonlySet<Controller> {
  return new Set(text.trim().split(/\s+/).flatMap(controllerOf));
}

function controllerOf(word: string): readonly Controller[] {
  const name = word === "blkio" ? "io" : word;
  return CONTROLLERS.filter((controller) => controller === name);
}

interface Mount {
  readonly version: 1 | 2;
  /** The path of the group that is mounted, as this process's cgroup namespace has it. */
  readonly root: string;
  readonly directory: string;
  /** The options of the filesystem, which include the names of its controllers. */
  readonly options: readonly string[];
}

/** The mount of a line of mountinfo, if it is a cgroup filesystem (proc_pid_mountinfo(5)). */
function parseMount(line: string): readonly Mount[] {
  const [before = "", after = ""] = line.split(" - ");
  const [type = "", , options = ""] = after.split(" ");
  if (type !== "cgroup" && type !== "cgroup2") return [];
  const [, , , root = "", directory = ""] = before.split(" ").map(unescapeOctal);
  return [{ version: type === "cgroup2" ? 2 : 1, root, directory, options: options.split(",") }];
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/** The directory of a group, if it is below the group that is mounted. */
function directoryIn({ root, directory }: Mount, path: string): string | undefined {
  if (root === path) return directory;
  const within = root === "/" ? path : path.startsWith(`${root}/`) && path.slice(root.length);
  // The path of a group outside of this process's cgroup namespace starts with `..`.
  return within === false || path.startsWith("/..") ? undefined : directory + within;
}
