/**
 * Lowers the step `bind`.
 *
 * @module
 */

import { type Fd, ResultOf } from "../../ffi/call.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH, openat } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  MS_PRIVATE,
  MS_SLAVE,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/engine/program.ts";
import { normalize } from "../../recipe/path.ts";
import type { BindRestriction, BindStep } from "../../recipe/steps/bind.ts";
import type { PlanBuilder } from "../builder.ts";
import type { ContainerPath } from "../container_path.ts";
import { copyTree } from "../copy_tree.ts";
import { HostPath } from "../host_path.ts";
import type { MountIdMap } from "../parent_work.ts";
import { pinParents } from "../pins.ts";
import { touches } from "../mount_table.ts";
import { ENTRY_GONE, lowerEntries } from "./bind_entries.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";
import { coverKernelMounts, refuseKernelFile, refuseKernelMount } from "./kernel_mounts.ts";

const RESTRICTIONS: Readonly<Record<BindRestriction, number>> = {
  nosuid: MOUNT_ATTR_NOSUID,
  nodev: MOUNT_ATTR_NODEV,
  noexec: MOUNT_ATTR_NOEXEC,
  nosymfollow: MOUNT_ATTR_NOSYMFOLLOW,
};

/** Lowers `bind`. */
export function lowerBind(step: BindStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be mounted on the host");
  if (step.entries !== undefined) {
    return lowerEntries(step, plan, (entry) => bindOne(entry, plan, ENTRY_GONE));
  }
  bindOne(step, plan);
}

/**
 * Lowers a `bind` of its source.
 *
 * @param gone what to do where the source does not exist
 */
function bindOne(given: BindStep, plan: PlanBuilder, gone?: string): void {
  const step = given.untrusted === true ? withoutUnknownMounts(given, plan) : given;
  const source = plan.source(step.source, step.optional);
  const isMissing = step.optional === true && source instanceof HostPath &&
    source.resolved.type === undefined;
  const restrict = step.restrict ?? usualRestrictions(step.source, plan);
  // Of the system's own directories that are listed nothing is mounted on demand.
  if (gone === undefined && source instanceof HostPath && step.recursive !== false) {
    plan.facts.mountAutomounts(source.resolved.path);
  }
  if (!isMissing) recordSource({ ...step, restrict }, plan);
  if (isUntrustedDirectory(step, source)) {
    refuseKernelMount(step.source, source.resolved.path, plan);
  }
  const origin = noteOrigin(source, plan, step.recursive !== false);
  const target = plan.path(step.target);
  target.refuseRoot();
  if (step.make === true) plan.access.recordWrite(step.target);
  const mounted = {
    target: target.canonical,
    type: "bind",
    source: step.source,
    readOnly: step.readOnly === true,
    ...origin,
  };
  if (step.optional !== true) {
    show({ ...step, restrict }, source, target, plan, { gone });
    plan.mounted(mounted);
  } else {
    if (!isMissing) {
      target.makeParent();
      plan.skippable("the source is missing", (end) => {
        show({ ...step, restrict }, source, target, plan, { missing: end });
      });
    }
    plan.mounted({ ...mounted, certain: false });
  }
  if (isUntrustedDirectory(step, source) && step.recursive !== false) {
    coverKernelMounts(source.resolved.path, target.canonical, plan);
  }
}

/**
 * Notes a source if the mount table does not tell which files of the host it shows: there may be a
 * link on the way, or mounts of the recipe are below it.
 *
 * @returns the file of the host that it certainly is, if it is one
 */
export function noteOrigin(
  source: HostPath | ContainerPath,
  plan: PlanBuilder,
  isRecursive: boolean,
): { readonly origin?: string } {
  const { mounts } = plan.state;
  const isHost = source instanceof HostPath;
  const place = isHost ? source.resolved.path : plan.access.settledPlace(source.path);
  const path = normalize(isHost ? source.resolved.path : source.path);
  const showsMore = isRecursive && mounts.showsMoreBelow(path);
  if (place !== undefined && !showsMore) return isHost ? { origin: place } : mounts.originOf(place);
  plan.state.unknownSource ??= source.path;
  return {};
}

/**
 * Leaves out what is mounted below the source on a machine that is not known yet: there may be
 * filesystems of the kernel, which cannot be covered before they are known.
 */
function withoutUnknownMounts(step: BindStep, plan: PlanBuilder): BindStep {
  if (plan.host.isHere || plan.access.hostSource(step.source) === undefined) return step;
  if (normalize(step.source) === "/") {
    plan.refuse(
      "which filesystems of the kernel are mounted below / is known only where the box runs; name the " +
        "directories that the program needs",
    );
  }
  return { ...step, recursive: false };
}

function isUntrustedDirectory(
  step: BindStep,
  source: HostPath | ContainerPath,
): source is HostPath {
  return step.untrusted === true && source instanceof HostPath &&
    source.resolved.type === "directory";
}

/**
 * Returns what the files of the host are restricted to unless a step says otherwise. A device can be
 * written to on a read-only mount too, so that there are none, but for a source that is one, or that
 * is in /dev or around it.
 */
export function usualRestrictions(source: string, plan: PlanBuilder): readonly BindRestriction[] {
  const place = plan.access.hostPlace(source);
  if (place === undefined) return [];
  return place.type === "device" || touches(place.path, "/dev") ? [] : ["nodev"];
}

function recordSource(step: BindStep, plan: PlanBuilder): void {
  const { source, readOnly, restrict } = step;
  const path = plan.access.hostSource(source);
  if (path === undefined) return plan.access.recordAll();
  if (step.recursive !== false) plan.access.recordTree(path, step.untrusted === true);
  plan.access.recordCopy(path);
  plan.access.recordBind(path, { readOnly, noDevices: restrict?.includes("nodev") });
}

/** What to do where the source does not exist: where to jump to, or what the error says. */
interface Missing {
  readonly missing?: Label;
  readonly gone?: string | undefined;
}

/** Mounts the source. */
function show(
  step: BindStep,
  source: HostPath | ContainerPath,
  target: ContainerPath,
  plan: PlanBuilder,
  { missing, gone }: Missing,
): void {
  // Before the source is opened, as that may be beneath a directory that is pinned.
  if (step.readOnly === true) pinParents(plan, target);
  if (source instanceof HostPath) {
    const isEarly = step.early === true || step.shared === true || step.idMap !== undefined;
    if (isEarly) return showEarly(step, source, target, plan);
  } else if (step.shared === true || step.idMap !== undefined) {
    plan.refuse(
      `"shared" and "idMap" are for files of the host, and ${step.source} is not one at this step`,
    );
  }
  const isHost = source instanceof HostPath;
  const opened = source.open(O_PATH, {
    ...(missing !== undefined && { accept: ["ENOENT"], onAccepted: missing }),
    fixes: () => ({ ENOENT: missingSource(step, isHost, gone) }),
  });
  if (step.untrusted === true && isHost && !plan.host.isHere) refuseKernelFile(opened, plan);
  const recursive = step.recursive === false ? 0 : AT_RECURSIVE;
  const tree = copyTree(plan, opened, recursive, step.source, () => ({
    EINVAL: `an unprivileged user cannot bind ${step.source} without the submounts that it has; ` +
      "pass { recursive: true }",
  }));
  setAttributes(step, tree, recursive, plan);
  if (isOnItself(step, plan)) target.attachTo(opened, tree, step.source);
  else {
    if (step.make === true || target.needsMountPoint) makeMountPoint(source, opened, target, plan);
    target.attach(tree, step.source);
  }
  plan.release(tree);
  plan.release(opened);
}

/** Mounts a source that the script has opened. */
function showEarly(
  step: BindStep,
  source: HostPath,
  target: ContainerPath,
  plan: PlanBuilder,
): void {
  const { path, type } = source.resolved;
  if (type === undefined) plan.refuse(missingSource(step, true));
  const recursive = step.recursive === false ? 0 : AT_RECURSIVE;
  const through = source.opening(O_PATH);
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive;
  const tree = plan.inheritFd(open_tree(new ResultOf(through, path), "", flags), `<${path}>`, {
    through,
    fixes: () => ({
      ...source.fixes(),
      EPERM: "the script copies the mount, which takes CAP_SYS_ADMIN",
    }),
    idMap: step.idMap && mountIdMap(step, step.idMap, plan),
  });
  if (step.shared === true) plan.access.recordOuterMounts();
  else leaveOuterMounts(tree, plan);
  setAttributes(step, tree, recursive, plan);
  if (step.make === true || target.needsMountPoint) {
    target.makeMountPoint(type === "directory" ? "directory" : "file");
  }
  target.attach(tree, step.source);
}

/**
 * Separates a copy of the script's mounts from those: if they are shared, what the container mounts in
 * it would appear outside.
 */
function leaveOuterMounts(tree: Fd, plan: PlanBuilder): void {
  const propagation = plan.state.receivesMounts ? MS_SLAVE : MS_PRIVATE;
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, { propagation }), {
    fixes: plan.state.mountFixes,
  });
}

/** Returns the id map of a mount, with what its errors mean. */
function mountIdMap(
  { source, recursive }: BindStep,
  { uids, gids, recursive: isWhole = true }: NonNullable<BindStep["idMap"]>,
  plan: PlanBuilder,
): MountIdMap {
  plan.access.recordOwners();
  return {
    uids,
    gids,
    recursive: isWhole && recursive !== false,
    fixes: {
      EINVAL: `the filesystem of ${source}, or one below it, does not map ids, or does it already`,
      EPERM: "to map the ids of a filesystem takes CAP_SYS_ADMIN where it was mounted",
    },
  };
}

/** Restricts an open mount as the step says. */
function setAttributes(step: BindStep, tree: Fd, recursive: number, plan: PlanBuilder): void {
  const attributes = (step.restrict ?? []).reduce(
    (sum, word) => sum | RESTRICTIONS[word],
    step.readOnly === true ? MOUNT_ATTR_RDONLY : 0,
  );
  if (attributes === 0) return;
  const set = { attr_set: attributes };
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH | recursive, set), {
    fixes: plan.state.mountFixes,
  });
}

function missingSource({ source }: BindStep, isHost: boolean, gone?: string): string {
  if (gone !== undefined) return `${source} ${gone}`;
  const why = `the source ${source} does not exist`;
  const expected = unexpanded(source);
  if (expected !== "") return why + expected;
  return isHost
    ? `${why}; leave it out, or bind() it with { optional: true }`
    : `${why} at this step: after pivotRoot() no file of the host does`;
}

/**
 * Whether source and target are the same path of a later root. It is then opened only once, so that
 * a change in between cannot make it two files.
 */
function isOnItself({ source, target }: BindStep, plan: PlanBuilder): boolean {
  return normalize(source) === normalize(target) && plan.cursor.rootOf(target) !== undefined;
}

/** Makes a directory as the mount point of a directory, and a file for anything else. */
function makeMountPoint(
  source: HostPath | ContainerPath,
  opened: ResultOf,
  target: ContainerPath,
  plan: PlanBuilder,
): void {
  const known = source instanceof HostPath ? source.resolved.type : undefined;
  if (known !== undefined && known !== "unknown") {
    return target.makeMountPoint(known === "directory" ? "directory" : "file");
  }
  const isFile = new Label("the source is not a directory");
  plan.skippable("the mount point is there", (made) => {
    const accept = { accept: ["ENOTDIR"], onAccepted: isFile } as const;
    const looked = openat(opened, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    const directory = plan.open(looked, "<source>", accept);
    plan.skippable("the directory is made", () => target.makeMountPoint("directory"));
    plan.goTo(made, directory);
    plan.place(isFile);
    target.makeMountPoint("file");
  });
}
