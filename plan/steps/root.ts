/**
 * Lowers the steps `pivotRoot`, `chroot` and `chdir`.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { chdir, fchdir, O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  mount_setattr,
  move_mount,
  umount2,
} from "../../ffi/calls/mounts.ts";
import { chroot, pivot_root } from "../../ffi/calls/namespaces.ts";
import type { ChdirStep, ChrootStep, PivotRootStep } from "../../recipe/steps/root.ts";
import type { PlanBuilder } from "../builder.ts";
import { refuseForUsers } from "../users_box.ts";
import { ONTO_FD } from "../container_path.ts";
import { needsPrivilege } from "../fixes.ts";
import { openConsole } from "../console.ts";
import { copyTree } from "../copy_tree.ts";
import { usualRestrictions } from "./bind.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

/** Lowers `pivotRoot`. */
export function lowerPivotRoot({ path }: PivotRootStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would change the host's root");
  const { beforeRoot, console: terminal } = plan.options;
  if (beforeRoot !== undefined) plan.syncWithParent(() => [{ run: beforeRoot }]);
  if (terminal !== undefined) plan.console = openConsole(plan, path, terminal.owner);
  const target = plan.path(path);
  const isMountPoint = plan.state.mounts.isMountPoint(target.canonical);
  const noDevices = !isMountPoint && usualRestrictions(path, plan).includes("nodev");
  plan.access.recordRoot(path, "pivotRoot", noDevices);
  const directory = openRoot(plan, path);
  // The new root has to be a mount point (pivot_root(2)), which a bind mount on itself makes it.
  const root = isMountPoint ? directory : mountOnItself(plan, directory, path, noDevices);
  plan.call(fchdir(root));
  // With both arguments the same, the old root is mounted on top of the new one (pivot_root(2)).
  plan.call(pivot_root(".", "."), {
    fixes: {
      EINVAL: "the root of this machine is its initial ramdisk, which pivot_root(2) cannot " +
        "replace; or the new root is on a shared mount",
      EPERM: needsPrivilege(plan.state.inUserNamespace),
    },
  });
  plan.call(umount2(".", MNT_DETACH));
  enterRoot(plan, target.canonical, root);
}

/** Lowers `chroot`. */
export function lowerChroot({ path }: ChrootStep, plan: PlanBuilder): void {
  refuseForUsers("change the root", plan);
  const { canonical } = plan.path(path);
  plan.access.recordRoot(path, "chroot");
  const directory = openRoot(plan, path);
  plan.call(fchdir(directory), { fixes: { EACCES: `this user may not enter ${path}` } });
  plan.call(chroot("."), {
    fixes: {
      EPERM: plan.state.inUserNamespace
        ? needsPrivilege(true)
        : "this takes CAP_SYS_CHROOT; as an ordinary user, put a user namespace before it: " +
          'unshare("user"), mapRoot()',
    },
  });
  enterRoot(plan, canonical, directory);
}

function openRoot(plan: PlanBuilder, path: string): ResultOf {
  return plan.path(path).open(O_PATH | O_DIRECTORY, {
    fixes: {
      ENOENT: `the directory ${path} does not exist ${plan.state.filesAt}${unexpanded(path)}`,
      ENOTDIR: `${path} is not a directory`,
    },
  });
}

function mountOnItself(
  plan: PlanBuilder,
  directory: ResultOf,
  path: string,
  noDevices: boolean,
): ResultOf {
  const tree = copyTree(plan, directory, AT_RECURSIVE, path);
  // What the recipe has mounted below, such as its own /dev, stays as it is.
  if (noDevices) {
    plan.call(mount_setattr(tree, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_NODEV }), {
      fixes: plan.state.mountFixes,
    });
  }
  plan.call(move_mount(tree, "", directory, "", ONTO_FD), { fixes: plan.state.mountFixes });
  plan.release(directory);
  return tree;
}

function enterRoot(plan: PlanBuilder, path: string, root: ResultOf): void {
  plan.call(chdir("/"));
  plan.release(root);
  plan.directories.enteredWorking();
  plan.directories.forget();
  plan.state.entersRoot(path);
}

/** Lowers `chdir`. */
export function lowerChdir({ path }: ChdirStep, plan: PlanBuilder): void {
  plan.directories.returnToWorking();
  const directory = plan.currentPath(path).open(O_PATH | O_DIRECTORY, {
    fixes: {
      ENOENT: `the directory ${path} does not exist ${plan.state.filesAt}${unexpanded(path)}`,
      ENOTDIR: `${path} is not a directory`,
    },
  });
  plan.call(fchdir(directory), { fixes: { EACCES: `this user may not enter ${path}` } });
  plan.release(directory);
  plan.directories.enteredWorking();
}
