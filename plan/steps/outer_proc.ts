/**
 * Lowers the step `proc` with `outer`: a read-only copy of the /proc outside.
 *
 * @module
 */

import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
} from "../../ffi/calls/mounts.ts";
import type { PlanBuilder } from "../builder.ts";
import { copyTree } from "../copy_tree.ts";
import { procDirectory } from "../proc_file.ts";

const PROC = "/proc";

/**
 * Shows the /proc outside. Later steps write their own files of it, such as the maps of another user
 * namespace, by the directory that is open from before.
 */
export function showOuterProc(path: string, plan: PlanBuilder): void {
  plan.needs("mount", "it would be mounted on the host");
  if (!plan.state.mounts.isHostFile(PROC)) {
    plan.refuse("the /proc outside is covered or gone by now; put the step before what covers it");
  }
  plan.access.recordTree(PROC);
  plan.access.recordBind(PROC, { readOnly: true, noDevices: true });
  const outer = procDirectory(plan);
  const target = plan.path(path);
  target.refuseRoot();
  // What covers parts of it comes along.
  const tree = copyTree(plan, outer, AT_RECURSIVE, PROC);
  const attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, { attr_set }), {
    fixes: plan.state.mountFixes,
  });
  if (target.needsMountPoint) target.makeMountPoint("directory");
  target.attach(tree, PROC);
  plan.release(tree);
  plan.mounted({
    target: target.canonical,
    type: "bind",
    source: PROC,
    origin: PROC,
    readOnly: true,
  });
  plan.state.outerProc = { stepIndex: plan.cursor.index, fd: outer };
}
