/**
 * Lowers the step `devices`.
 *
 * @module
 */

import {
  mkdirat,
  mknodat,
  O_DIRECTORY,
  O_PATH,
  S_IFREG,
  symlinkat,
} from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_NOEXEC,
  MS_NOSUID,
} from "../../ffi/calls/mounts.ts";
import { normalize } from "../../recipe/path.ts";
import type { DevicesStep } from "../../recipe/steps/devices.ts";
import type { PlanBuilder } from "../builder.ts";
import { HostPath } from "../host_path.ts";
import { copyTree } from "../copy_tree.ts";
import { furtherDevices } from "./further_devices.ts";
import { mountFilesystem } from "./mounts.ts";

/**
 * The harmless devices of the host. They are bound, because mknod(2) needs CAP_MKNOD on the host.
 */
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"] as const;

/** The symbolic links of /dev, with their targets. */
const LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  ptmx: "pts/ptmx",
} as const;

/** Lowers `devices`. */
export function lowerDevices(step: DevicesStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be mounted on the host");
  const directory = normalize(step.target);
  // The devices are opened first, because the new /dev may cover them.
  const sources = new Map<string, string>([
    ...DEVICES.map((name) => [name, `/dev/${name}`] as const),
    ...furtherDevices(step, plan),
  ]);
  const trees = [...sources].map(([name, source]) => ({ name, tree: copyDevice(plan, source) }));
  const flags = MS_NOSUID | MS_NOEXEC;
  mountFilesystem(plan, directory, {
    type: "tmpfs",
    flags,
    data: "mode=0755,size=4m,nr_inodes=1k",
  });
  const made = plan.path(directory).open(O_PATH | O_DIRECTORY);
  for (const inner of directoriesOf(sources.keys())) plan.call(mkdirat(made, inner, 0o755));
  for (const { name, tree } of trees) {
    // The tmpfs is new and only this step makes files in it, so no name can be a link.
    plan.call(mknodat(made, name, S_IFREG | 0o644, 0));
    plan.call(move_mount(tree, "", made, name, MOVE_MOUNT_F_EMPTY_PATH), {
      fixes: () => ({
        EINVAL: `/dev/${name} is no device here; name those that are in it`,
        ...plan.state.mountFixes,
      }),
    });
    plan.release(tree);
  }
  const pts = "newinstance,ptmxmode=0666,mode=0620";
  mountFilesystem(plan, `${directory}/pts`, { type: "devpts", flags, data: pts });
  const shm = `mode=1777,size=${step.shm ?? "64m"},nr_inodes=64k`;
  mountFilesystem(plan, `${directory}/shm`, { type: "tmpfs", flags, data: shm });
  for (const [name, to] of Object.entries(LINKS)) {
    plan.access.recordLink(`${directory}/${name}`);
    plan.call(symlinkat(to, made, name));
  }
  plan.release(made);
  plan.state.terminals = `${directory}/ptmx`;
}

/** The directories in which these names lie, those around others first. */
function directoriesOf(names: Iterable<string>): ReadonlySet<string> {
  return new Set(
    [...names].flatMap((name) => {
      const parts = name.split("/").slice(0, -1);
      return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    }),
  );
}

/**
 * Opens a copy of a device of the host. The mount is read-only: the device can be written to all
 * the same, but the host's root cannot change its mode there.
 */
function copyDevice(plan: PlanBuilder, path: string): ReturnType<typeof copyTree> {
  const source = plan.source(path);
  const isHosts = source instanceof HostPath;
  if (isHosts) plan.access.recordBind(path, { readOnly: true });
  const where = isHosts ? "on the host" : "at this step";
  const opened = source.open(O_PATH, {
    fixes: () => ({
      ENOENT: `${path} is missing ${where}, and no user namespace can make one`,
    }),
  });
  const tree = copyTree(plan, opened, 0, path);
  plan.release(opened);
  const readOnly = { attr_set: MOUNT_ATTR_RDONLY };
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH, readOnly), { fixes: plan.state.mountFixes });
  return tree;
}
