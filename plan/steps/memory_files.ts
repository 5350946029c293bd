/**
 * Files that a step makes in memory, to mount them at paths of the container.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd } from "../../ffi/calls/files.ts";
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
import { atLeast } from "../../host/host.ts";
import type { PlanBuilder } from "../builder.ts";

/** What is made, and the size of the filesystem for it. */
export interface MemoryFiles {
  /** What the filesystem is called in the listing of the plan. */
  readonly name: string;
  /** Its pages of 4 KiB. */
  readonly blocks: number;
  /** Its files and directories, with the root. */
  readonly inodes: number;
  /** Makes the files in the open root. */
  make(root: ResultOf): void;
}

/**
 * Makes a filesystem without a path, which is read-only once the files are made, and lets `use` copy
 * its files to where they are wanted.
 */
export function withMemoryFiles(
  plan: PlanBuilder,
  { name, blocks, inodes, make }: MemoryFiles,
  use: (root: ResultOf) => void,
): void {
  if (plan.state.inUserNamespace && !plan.state.idsMapped) {
    plan.refuse(
      "the container makes files to mount over the paths, and needs mapped ids for " +
        "that: put mapRoot() before it",
    );
  }
  const fixes = plan.state.mountFixes;
  const filesystem = plan.open(fsopen("tmpfs", FSOPEN_CLOEXEC), "<tmpfs>", { fixes });
  const set = (key: string, value: string) =>
    void plan.call(fsconfig(filesystem, FSCONFIG_SET_STRING, key, value, 0));
  set("mode", "0555");
  set("nr_blocks", String(blocks));
  set("nr_inodes", String(inodes));
  plan.call(fsconfig(filesystem, FSCONFIG_CMD_CREATE, null, null, 0), { fixes });
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const root = plan.open(fsmount(filesystem, FSMOUNT_CLOEXEC, attributes), `<${name}>`, { fixes });
  plan.release(filesystem);
  make(root);
  plan.call(mount_setattr(root, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY }));
  // Before Linux 6.15 open_tree(2) copies attached mounts only. A mount on / is invisible, because
  // path lookup starts beneath it (path_resolution(7)).
  const attached = !atLeast(plan.host.kernel(), { major: 6, minor: 15 });
  if (attached) plan.call(move_mount(root, "", at_fdcwd, "/", MOVE_MOUNT_F_EMPTY_PATH));
  use(root);
  if (attached) plan.directories.inside(root, () => void plan.call(umount2(".", MNT_DETACH)));
  plan.release(root);
}

/** Opens a copy of one of the files, as a mount that can be attached. */
export function copyOfFile(
  plan: PlanBuilder,
  root: ResultOf,
  name: string,
  called = name,
): ResultOf {
  const copied = open_tree(root, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  return plan.open(copied, `<${called}>`, { fixes: plan.state.mountFixes });
}
