/**
 * Covers files and directories of the container with empty ones.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, mkdirat, mknodat, S_IFREG } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  fsconfig,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_STRING,
  fsmount,
  FSMOUNT_CLOEXEC,
  fsopen,
  FSOPEN_CLOEXEC,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  umount2,
} from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/engine/program.ts";
import { atLeast } from "../../host/host.ts";
import type { PlanBuilder } from "../builder.ts";
import { ONTO_FD } from "../container_path.ts";

/** The names of the empty file and the empty directory. */
const EMPTY = { file: "file", directory: "directory" } as const;

/**
 * Makes one filesystem for all that is covered, with an empty file and an empty directory. It has no
 * path, so no file of a root that may be untrusted is used, such as its /dev/null (CVE-2025-31133).
 */
export function withEmptyFiles(plan: PlanBuilder, write: (empty: ResultOf) => void): void {
  if (plan.state.inUserNamespace && !plan.state.idsMapped) {
    plan.refuse(
      "the container makes empty files to mount over the paths, and needs mapped ids for " +
        "that: put mapRoot() before it",
    );
  }
  const filesystem = plan.open(fsopen("tmpfs", FSOPEN_CLOEXEC), "<tmpfs>", {
    fixes: plan.state.mountFixes,
  });
  const set = (key: string, value: string) =>
    void plan.call(fsconfig(filesystem, FSCONFIG_SET_STRING, key, value, 0));
  set("mode", "0555");
  set("nr_blocks", "1");
  set("nr_inodes", "3");
  plan.call(fsconfig(filesystem, FSCONFIG_CMD_CREATE, null, null, 0), {
    fixes: plan.state.mountFixes,
  });
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const mounted = fsmount(filesystem, FSMOUNT_CLOEXEC, attributes);
  const empty = plan.open(mounted, "<empty>", { fixes: plan.state.mountFixes });
  plan.release(filesystem);
  plan.call(mkdirat(empty, EMPTY.directory, 0o555));
  plan.call(mknodat(empty, EMPTY.file, S_IFREG | 0o444, 0));
  plan.call(mount_setattr(empty, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY }));
  // Before Linux 6.15 open_tree(2) copies attached mounts only. A mount on / is invisible, because
  // path lookup starts beneath it (path_resolution(7)).
  const attached = !atLeast(plan.host.kernel(), { major: 6, minor: 15 });
  if (attached) plan.call(move_mount(empty, "", at_fdcwd, "/", MOVE_MOUNT_F_EMPTY_PATH));
  write(empty);
  if (attached) plan.directories.inside(empty, () => void plan.call(umount2(".", MNT_DETACH)));
  plan.release(empty);
}

/** Mounts an empty file or directory over an open one. */
export function coverWithEmpty(
  plan: PlanBuilder,
  place: ResultOf,
  path: string,
  empty: ResultOf,
): void {
  const copyOf = (name: string) => {
    const copied = open_tree(empty, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return plan.open(copied, `<empty ${name}>`, { fixes: plan.state.mountFixes });
  };
  const cover = (copy: ResultOf) => move_mount(copy, "", place, "", ONTO_FD);
  const fixes = () => ({
    ...plan.state.mountFixes,
    ENOENT: `what is mounted at ${path} has been removed, as /proc/PID is when its process has ` +
      "ended; unmount it",
  });
  // The kernel mounts a file on a file only, and a directory on a directory.
  const [isDirectory, covered] = [
    new Label(`${path} is a directory`),
    new Label(`${path} is a file`),
  ];
  const file = copyOf(EMPTY.file);
  plan.call(cover(file), {
    accept: ["EINVAL", "ENOTDIR"],
    onAccepted: isDirectory,
    onZero: covered,
    fixes,
  });
  plan.place(isDirectory);
  const directory = copyOf(EMPTY.directory);
  plan.call(cover(directory), { fixes });
  plan.release(directory);
  plan.place(covered);
  plan.release(file);
}
