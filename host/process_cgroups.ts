/**
 * The cgroups of a process, as the files by which another process enters them. See cgroups(7).
 *
 * @module
 */

import { isWithin, parentOf } from "../recipe/path.ts";
import { at_fdcwd } from "../ffi/calls/files.ts";
import { ifThere } from "../ffi/missing.ts";
import { UnsupportedError } from "../ffi/errors.ts";
import { type MountEntry, mountsOf } from "../ffi/proc/mountinfo.ts";
import { processDirectory } from "../ffi/proc/proc_dir.ts";
import { readWholeText } from "../ffi/files/read_file.ts";

/** A process's group in one hierarchy: a line of /proc/PID/cgroup. */
interface Membership {
  /** The controllers of a v1 hierarchy; empty for v2. */
  readonly controllers: string;
  readonly path: string;
}

/**
 * Returns the `cgroup.procs` of each cgroup that the process is in and the calling thread is not.
 *
 * @throws {UnsupportedError} if a hierarchy is not mounted, or the cgroup is outside of the cgroup
 * namespace
 */
export function cgroupFilesOf(pid: number): string[] {
  const own = new Map(memberships("thread-self").map((one) => [one.controllers, one.path]));
  const others = memberships(pid).filter((one) => own.get(one.controllers) !== one.path);
  if (others.length === 0) return [];
  const mounts = mountsOf();
  return others.map((one) => `${directoryOf(one, mounts)}/cgroup.procs`);
}

/**
 * Whether the cgroup of this `cgroup.procs`, or one above it, is frozen or being frozen. In v1 the
 * state of a cgroup tells of those above it.
 */
export function isFrozen(file: string): boolean {
  for (let directory = parentOf(file); directory !== "/"; directory = parentOf(directory)) {
    const [unified, state] = ["cgroup.freeze", "freezer.state"].map((name) =>
      ifThere(() => readWholeText(at_fdcwd, `${directory}/${name}`).trim())
    );
    if (unified === "1" || (state !== undefined && state !== "THAWED")) return true;
    if (unified === undefined) return false;
  }
  return false;
}

function memberships(process: number | "thread-self"): Membership[] {
  const lines = readWholeText(at_fdcwd, `${processDirectory(process)}/cgroup`).trimEnd().split(
    "\n",
  );
  return lines.map((line) => {
    const [, controllers, ...path] = line.split(":");
    return { controllers: controllers!, path: path.join(":") };
  });
}

function directoryOf({ controllers, path }: Membership, mounts: readonly MountEntry[]): string {
  const mount = mounts.findLast((mount) =>
    controllers === ""
      ? mount.type === "cgroup2" && isWithin(path, mount.root)
      : mount.type === "cgroup" && isWithin(path, mount.root) && serves(mount, controllers)
  );
  if (mount !== undefined) {
    return mount.target + (mount.root === "/" ? path : path.slice(mount.root.length));
  }
  throw new UnsupportedError(
    `the cgroup ${path}${controllers && ` of ${controllers}`} cannot be reached from here: its ` +
      "hierarchy is not mounted, or it lies outside of the cgroup namespace",
  );
}

/** Whether the mount is the hierarchy of these controllers, which are among its options. */
function serves({ data }: MountEntry, controllers: string): boolean {
  const options = data.split(",");
  return controllers.split(",").every((controller) => options.includes(controller));
}
