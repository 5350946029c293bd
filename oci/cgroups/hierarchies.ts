/**
 * The mounted hierarchies of control groups, with all controllers and named ones: engines name a
 * group in each of them. See cgroups(7).
 *
 * @module
 */

import { makedev } from "../../ffi/calls/files.ts";

/** A mounted hierarchy. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** The controllers of version 1, and `name=...`; none for version 2. */
  readonly names: readonly string[];
  /** The directory of the topmost group. */
  readonly top: string;
}

/** The options of cgroup filesystems that name no controller. */
const OTHER_OPTIONS =
  /^(rw|ro|xattr|noprefix|clone_children|release_agent=.*|seclabel|cpuset_v2_mode|nsdelegate|memory_.*|favordynmods|none)$/;

/** Returns the hierarchies that are mounted below /sys/fs/cgroup, each once. */
export function mountedHierarchies(): readonly Hierarchy[] {
  return parseMounts(Deno.readTextFileSync("/proc/self/mountinfo"), deviceAt);
}

/** Returns the device of the filesystem that is visible at a path. */
function deviceAt(path: string): number | undefined {
  try {
    return Deno.statSync(path).dev;
  } catch {
    return undefined;
  }
}

/**
 * Reads /proc/self/mountinfo, which also lists what other mounts cover.
 *
 * @param deviceAt returns the device that is visible at a path
 */
export function parseMounts(
  mountinfo: string,
  deviceAt: (path: string) => number | undefined,
): readonly Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [type, , options = ""] = after.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const [, , device = "", , top = ""] = before.split(" ");
    if (found.has(device) || !top.startsWith("/sys/fs/cgroup")) continue;
    const [major = 0, minor = 0] = device.split(":").map(Number);
    if (deviceAt(top) !== makedev(major, minor)) continue;
    const names = options.split(",").filter((word) => !OTHER_OPTIONS.test(word));
    found.set(device, { version: type === "cgroup2" ? 2 : 1, names, top });
  }
  return [...found.values()];
}

/** Whether a hierarchy of version 1 has this controller. */
export function has({ version, names }: Hierarchy, controller: string): boolean {
  return version === 1 && names.includes(controller);
}
