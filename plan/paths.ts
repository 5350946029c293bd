/**
 * Places in the container's file tree, as steps name them: opened beneath the root that a later
 * step will enter, or beneath the filesystem of the recipe that they are said to lie on, so that no
 * symlink there leads out of it (CVE-2021-30465).
 *
 * @module
 */

import { directoryOf, isWithin, nameOf, normalize } from "../recipe/path.ts";
import { type Call, type Fd, type Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  fchdir,
  mkdirat,
  mknodat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  S_IFREG,
} from "../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  mount,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../ffi/calls/mounts.ts";
import type { Edges } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "./builder.ts";

/** A directory that the way to a place does not leave. */
interface Base {
  readonly directory: string;
  /** What becomes of symlinks that lead out of it. */
  readonly resolve: number;
}

/** Where the way to a path begins; on the host's files it is not watched, but for a gate. */
function baseOf(plan: PlanBuilder, path: string): Base | undefined {
  const root = plan.cursor.rootOf(path);
  if (root !== undefined) return { directory: root, resolve: RESOLVE_IN_ROOT };
  const { target, own } = plan.state.mounts.mountOf(path);
  if (!own || target === normalize(path)) return undefined;
  return target === "/" ? undefined : { directory: target, resolve: RESOLVE_BENEATH };
}

/** Whether the path is handed to the kernel as it is. */
function isUnwatched(plan: PlanBuilder, path: string): boolean {
  return baseOf(plan, path) === undefined && plan.access?.places.resolvedPath(path) === undefined;
}

/** Opens a path that no base is known for; where there is a gate, without following a link. */
function openPlace(
  plan: PlanBuilder,
  path: string,
  flags: number,
  mode: number,
  text: string,
  edges: Edges = {},
): ResultOf {
  const place = path.startsWith("/") ? plan.access?.places.resolvedPath(path) : undefined;
  const call = place === undefined
    ? openat(at_fdcwd, path, flags | O_CLOEXEC, mode)
    : openat2(at_fdcwd, place, { flags: flags | O_CLOEXEC, mode, resolve: RESOLVE_NO_SYMLINKS });
  return new ResultOf(plan.call(call, edges), text);
}

/** Uses the directory that the path lies in, opened, and its name there. */
export function atEntry(
  plan: PlanBuilder,
  path: string,
  use: (directory: Fd, name: string) => void,
): void {
  const base = baseOf(plan, path);
  if (base === undefined && isUnwatched(plan, path)) return use(at_fdcwd, path);
  const normal = normalize(path);
  const directory = base === undefined
    ? openPlace(plan, directoryOf(normal), O_PATH | O_DIRECTORY, 0, "directory")
    : directoryOf(normal) === base.directory
    ? openBase(plan, base)
    : openBeneath(plan, base, directoryOf(normal), O_PATH | O_DIRECTORY, 0);
  use(directory, nameOf(normal));
  plan.call(close(directory));
}

/** Opens the path. */
export function openAt(
  plan: PlanBuilder,
  path: string,
  flags: number,
  mode = 0,
  edges: Edges = {},
): ResultOf {
  const base = path.startsWith("/") ? baseOf(plan, path) : undefined;
  return base === undefined
    ? openPlace(plan, path, flags, mode, "fd", edges)
    : openBeneath(plan, base, normalize(path), flags, mode, edges);
}

function openBeneath(
  plan: PlanBuilder,
  base: Base,
  path: string,
  flags: number,
  mode: number,
  edges: Edges = {},
): ResultOf {
  const directory = openBase(plan, base);
  const relative = path.slice(base.directory.length + 1);
  const how = { flags: flags | O_CLOEXEC, mode, resolve: base.resolve };
  const opened = plan.call(openat2(directory, relative, how), edges);
  plan.call(close(directory));
  return new ResultOf(opened, "fd");
}

function openBase(plan: PlanBuilder, { directory, resolve }: Base): ResultOf {
  const text = resolve === RESOLVE_IN_ROOT ? "root" : "base";
  return openPlace(plan, directory, O_PATH | O_DIRECTORY, 0, text);
}

/** Makes a directory, and those that it lies in, where they are missing. */
export function makeDirectories(plan: PlanBuilder, path: string): void {
  const parts = normalize(path).slice(1).split("/");
  const root = plan.cursor.rootOf(path);
  parts.forEach((_, index) => {
    const directory = "/" + parts.slice(0, index + 1).join("/");
    if (
      plan.state.mounts.isThere(directory) || (root !== undefined && isWithin(root, directory))
    ) {
      return;
    }
    atEntry(plan, directory, (within, name) => {
      plan.call(mkdirat(within, name, 0o755), { accept: ["EEXIST"] });
    });
  });
}

/**
 * Whether the place to mount on may be missing, and the recipe may make it: on its own filesystems.
 * On the host's a missing place is an error of the mount.
 */
export function needsMountPoint(plan: PlanBuilder, path: string): boolean {
  return !plan.state.mounts.isThere(path) &&
    plan.state.mounts.isContainerMount(directoryOf(normalize(path)));
}

/** Makes the place to mount on, where it is missing. */
export function makeMountPoint(plan: PlanBuilder, path: string, kind: "directory" | "file"): void {
  if (kind === "directory") return makeDirectories(plan, path);
  makeDirectories(plan, directoryOf(normalize(path)));
  atEntry(plan, path, (directory, name) => {
    plan.call(mknodat(directory, name, S_IFREG | 0o644, 0), { accept: ["EEXIST"] });
  });
}

/** What mount(2) reads of its options at most: a page, with the NUL at its end. */
const OPTION_BYTES = 4095;

/** Mounts a new filesystem on a directory. */
export function mountAt(
  plan: PlanBuilder,
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string | null,
): void {
  checkOptions(plan, data);
  refuseRoot(plan, target);
  if (needsMountPoint(plan, target)) makeMountPoint(plan, target, "directory");
  if (isUnwatched(plan, target)) {
    plan.call(mount(source, target, type, flags, data));
  } else {
    // mount(2) takes no descriptor, but it takes the working directory.
    inPlace(plan, openAt(plan, target, O_PATH | O_DIRECTORY), () => {
      plan.call(mount(source, ".", type, flags, data));
    });
  }
  plan.state.mounts.mounted(target, true);
}

/** Makes calls with an open directory as the working directory, and closes it. */
export function inPlace(plan: PlanBuilder, directory: ResultOf, use: () => void): void {
  const opened = plan.call(openat(at_fdcwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  const here = new ResultOf(opened, "here");
  plan.call(fchdir(directory));
  use();
  plan.call(fchdir(here));
  plan.call(close(here));
  plan.call(close(directory));
}

/** Refuses options that mount(2) would cut off without a word. */
export function checkOptions(plan: PlanBuilder, data: string | null): void {
  const size = new TextEncoder().encode(data ?? "").length;
  if (size > OPTION_BYTES) {
    plan.refuse(`the options have ${size} bytes, and mount(2) takes ${OPTION_BYTES}; use less`);
  }
}

/** What is mounted on the root lies above it, and paths still begin below (path_resolution(7)). */
function refuseRoot(plan: PlanBuilder, target: string): void {
  if (normalize(target) !== "/") return;
  plan.refuse(
    "what is mounted on / is seen by nobody, as paths begin below it; mount it in a directory, " +
      "on a tmpfs for instance, and make that the root with pivotRoot()",
  );
}

/**
 * Opens a directory that is to be the working directory. What is open in the script can still be
 * reached by /proc/self/fd, and a link to that, laid in the way, must not lead out (CVE-2024-21626).
 */
export function openDirectory(path: string | Output): Call {
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return openat2(at_fdcwd, path, { flags, resolve: RESOLVE_NO_MAGICLINKS });
}

/** Makes a directory the working directory. */
export function enterDirectory(add: (call: Call) => Call, path: string): void {
  const directory = new ResultOf(add(openDirectory(path)), "directory");
  add(fchdir(directory));
  add(close(directory));
}

/** Opens a copy of what is mounted at a path of the host's. */
export function copyTree(plan: PlanBuilder, path: string, text: string, more = 0): ResultOf {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | more;
  if (plan.access === undefined) {
    return new ResultOf(plan.call(open_tree(at_fdcwd, path, flags)), text);
  }
  const place = openAt(plan, path, O_PATH);
  const tree = plan.call(open_tree(place, "", flags | AT_EMPTY_PATH));
  plan.call(close(place));
  return new ResultOf(tree, text);
}

/**
 * Opens a copy of a device of the host's. It is read-only, where the kernel can make it so (Linux
 * 5.12): it can be written to as ever, but root of the host cannot change the device's mode by it.
 */
export function copyDevice(plan: PlanBuilder, path: string, text: string): ResultOf {
  const tree = copyTree(plan, path, text);
  const readOnly = mount_setattr(tree, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY });
  plan.call(readOnly, { accept: ["ENOSYS"] });
  return tree;
}

/** Attaches a mount that is open to a place. */
export function attachAt(plan: PlanBuilder, tree: Fd, target: string): void {
  refuseRoot(plan, target);
  const flags = MOVE_MOUNT_F_EMPTY_PATH;
  if (isUnwatched(plan, target)) {
    plan.call(move_mount(tree, "", at_fdcwd, target, flags));
  } else {
    const place = openAt(plan, target, O_PATH);
    plan.call(move_mount(tree, "", place, "", flags | MOVE_MOUNT_T_EMPTY_PATH));
    plan.call(close(place));
  }
}
