/**
 * Filesystems of the kernel that are mounted below a directory of the host. They show and change the
 * machine, not files of that directory.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import {
  O_CLOEXEC,
  O_PATH,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
} from "../../ffi/calls/files.ts";
import { AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, mount_setattr } from "../../ffi/calls/mounts.ts";
import type { MountEntry } from "../../ffi/proc/mountinfo.ts";
import { isWithin, parentOf } from "../../recipe/path.ts";
import type { PlanBuilder } from "../builder.ts";
import { coverWithEmpty, withEmptyFiles } from "./empty_files.ts";

/** The types of these filesystems. */
const KERNEL_TYPES: ReadonlySet<string> = new Set([
  "binder",
  "binfmt_misc",
  "bpf",
  "cgroup",
  "cgroup2",
  "configfs",
  "cpuset",
  "debugfs",
  "devpts",
  "devtmpfs",
  "efivarfs",
  "functionfs",
  "fusectl",
  "mqueue",
  "nfsd",
  "nsfs",
  "proc",
  "pstore",
  "resctrl",
  "rpc_pipefs",
  "securityfs",
  "selinuxfs",
  "smackfs",
  "sysfs",
  "tracefs",
  "xenfs",
]);

/** Refuses a source that is such a filesystem itself. */
export function refuseKernelMount(source: string, resolved: string, plan: PlanBuilder): void {
  const mount = new VisibleMounts(plan.facts.mounts).at(resolved);
  if (mount === undefined || !KERNEL_TYPES.has(mount.type)) return;
  plan.refuse(
    `${source} is a filesystem of the kernel (${mount.type}), by which the machine can be seen and ` +
      "changed; name the files and directories in it that the program needs",
  );
}

/**
 * Covers those below the source with empty files and directories. Another mount, or none, in the
 * place of one fails the launch: who may move directories there could otherwise uncover it.
 */
export function coverKernelMounts(resolved: string, target: string, plan: PlanBuilder): void {
  const paths = kernelMountsIn(resolved, plan.facts.mounts);
  if (paths.length === 0) return;
  withEmptyFiles(plan, (empty) => {
    for (const path of paths) {
      cover(path, target, path.slice(resolved === "/" ? 1 : resolved.length + 1), empty, plan);
    }
  });
}

function cover(
  path: string,
  directory: string,
  rest: string,
  empty: ResultOf,
  plan: PlanBuilder,
): void {
  const target = directory === "/" ? `/${rest}` : `${directory}/${rest}`;
  const moved = `the filesystem of the kernel at ${path} has been moved or unmounted meanwhile`;
  const how = { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  const opened = openat2(plan.directory(directory), rest, how);
  const place = plan.open(opened, `<${target}>`, {
    fixes: () => ({ ENOENT: moved, ENOTDIR: moved, ELOOP: moved }),
  });
  // mount_setattr(2) takes nothing but the root of a mount.
  plan.call(mount_setattr(place, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY }), {
    fixes: () => ({ ...plan.state.mountFixes, EINVAL: moved }),
  });
  coverWithEmpty(plan, place, target, empty);
  plan.release(place);
  plan.mounted({ target, type: "mask", readOnly: true });
}

/** Returns those in a directory that can be reached there, without those that are in another. */
export function kernelMountsIn(
  directory: string,
  mounts: readonly MountEntry[],
): readonly string[] {
  const visible = new VisibleMounts(mounts);
  const found = new Set(
    mounts.filter((mount) =>
      KERNEL_TYPES.has(mount.type) && mount.target !== directory &&
      isWithin(mount.target, directory) && visible.has(mount)
    ).map(({ target }) => target),
  );
  return [...found].filter((path) =>
    !directoriesAround(path, directory).some((at) => found.has(at))
  );
}

/** Which mounts other mounts cover. A mount on / covers nothing (path_resolution(7)). */
class VisibleMounts {
  readonly #mounts: readonly MountEntry[];
  readonly #byId: ReadonlyMap<number, MountEntry>;
  /** For each mount, the mount points on it. */
  readonly #points = new Map<number, Set<string>>();

  constructor(mounts: readonly MountEntry[]) {
    this.#mounts = mounts;
    this.#byId = new Map(mounts.map((mount) => [mount.id, mount]));
    for (const { parent, target } of mounts) {
      if (target === "/") continue;
      const points = this.#points.get(parent);
      if (points === undefined) this.#points.set(parent, new Set([target]));
      else points.add(target);
    }
  }

  /** Returns the mount whose root is at this path. */
  at(path: string): MountEntry | undefined {
    return this.#mounts.find((mount) => mount.target === path && this.has(mount));
  }

  /** Whether a path leads to the root of the mount. */
  has(mount: MountEntry): boolean {
    if (this.#points.get(mount.id)?.has(mount.target)) return false;
    for (let at = mount, above = this.#above(at); above !== undefined; above = this.#above(at)) {
      const points = this.#points.get(above.id)!;
      if (directoriesAround(at.target, above.target).some((path) => points.has(path))) return false;
      at = above;
    }
    return true;
  }

  #above({ id, parent }: MountEntry): MountEntry | undefined {
    return parent === id ? undefined : this.#byId.get(parent);
  }
}

/** Returns the directories that a path is in, from its own up to the given one. */
function directoriesAround(path: string, top: string): readonly string[] {
  const directories: string[] = [];
  for (let at = path; at !== top && at !== "/";) directories.push(at = parentOf(at));
  return directories;
}
