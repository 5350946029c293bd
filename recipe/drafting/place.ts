/**
 * Places in the container's file tree, as steps name them: opened beneath the root that a later
 * step will enter, or beneath the filesystem of the recipe that they are said to lie on, so that no
 * symlink there leads out of it (CVE-2021-30465).
 *
 * @module
 */

import { type Call, type Fd, type Output, ResultOf } from "../../ffi/call.ts";
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
} from "../../ffi/calls/files.ts";
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
} from "../../ffi/calls/mounts.ts";
import type { Edges } from "../../ffi/program.ts";
import type { Draft } from "./draft.ts";
import { folderOf, isWithin, nameOf, normalize } from "./ground.ts";

/** A folder that the way to a place does not leave. */
interface Base {
  readonly folder: string;
  /** What becomes of symlinks that lead out of it. */
  readonly resolve: number;
}

/** Where the way to a path begins; on the host's files it is not watched, but for a gate. */
function baseOf(draft: Draft, path: string): Base | undefined {
  const root = draft.sequence.rootOf(path);
  if (root !== undefined) return { folder: root, resolve: RESOLVE_IN_ROOT };
  const { target, own } = draft.container.ground.mountOf(path);
  if (!own || target === normalize(path)) return undefined;
  return target === "/" ? undefined : { folder: target, resolve: RESOLVE_BENEATH };
}

/** Whether the path is handed to the kernel as it is. */
function isUnwatched(draft: Draft, path: string): boolean {
  return baseOf(draft, path) === undefined && draft.gate?.places.openedAs(path) === undefined;
}

/** Opens a path that no base is known for; where there is a gate, without following a link. */
function openPlace(
  draft: Draft,
  path: string,
  flags: number,
  mode: number,
  text: string,
  edges: Edges = {},
): ResultOf {
  const place = path.startsWith("/") ? draft.gate?.places.openedAs(path) : undefined;
  const call = place === undefined
    ? openat(at_fdcwd, path, flags | O_CLOEXEC, mode)
    : openat2(at_fdcwd, place, { flags: flags | O_CLOEXEC, mode, resolve: RESOLVE_NO_SYMLINKS });
  return new ResultOf(draft.call(call, edges), text);
}

/** Uses the folder that the path lies in, opened, and its name there. */
export function atEntry(
  draft: Draft,
  path: string,
  use: (folder: Fd, name: string) => void,
): void {
  const base = baseOf(draft, path);
  if (base === undefined && isUnwatched(draft, path)) return use(at_fdcwd, path);
  const normal = normalize(path);
  const folder = base === undefined
    ? openPlace(draft, folderOf(normal), O_PATH | O_DIRECTORY, 0, "folder")
    : folderOf(normal) === base.folder
    ? openBase(draft, base)
    : openBeneath(draft, base, folderOf(normal), O_PATH | O_DIRECTORY, 0);
  use(folder, nameOf(normal));
  draft.call(close(folder));
}

/** Opens the path. */
export function openAt(
  draft: Draft,
  path: string,
  flags: number,
  mode = 0,
  edges: Edges = {},
): ResultOf {
  const base = path.startsWith("/") ? baseOf(draft, path) : undefined;
  return base === undefined
    ? openPlace(draft, path, flags, mode, "fd", edges)
    : openBeneath(draft, base, normalize(path), flags, mode, edges);
}

function openBeneath(
  draft: Draft,
  base: Base,
  path: string,
  flags: number,
  mode: number,
  edges: Edges = {},
): ResultOf {
  const folder = openBase(draft, base);
  const relative = path.slice(base.folder.length + 1);
  const how = { flags: flags | O_CLOEXEC, mode, resolve: base.resolve };
  const opened = draft.call(openat2(folder, relative, how), edges);
  draft.call(close(folder));
  return new ResultOf(opened, "fd");
}

function openBase(draft: Draft, { folder, resolve }: Base): ResultOf {
  const text = resolve === RESOLVE_IN_ROOT ? "root" : "base";
  return openPlace(draft, folder, O_PATH | O_DIRECTORY, 0, text);
}

/** Makes a folder, and those that it lies in, where they are missing. */
export function makeFolders(draft: Draft, path: string): void {
  const parts = normalize(path).slice(1).split("/");
  const root = draft.sequence.rootOf(path);
  parts.forEach((_, index) => {
    const folder = "/" + parts.slice(0, index + 1).join("/");
    if (draft.container.ground.isThere(folder) || (root !== undefined && isWithin(root, folder))) {
      return;
    }
    atEntry(draft, folder, (within, name) => {
      draft.call(mkdirat(within, name, 0o755), { accept: ["EEXIST"] });
    });
  });
}

/**
 * Whether the place to mount on may be missing, and the recipe may make it: on its own filesystems.
 * On the host's a missing place is an error of the mount.
 */
export function needsMountPoint(draft: Draft, path: string): boolean {
  return !draft.container.ground.isThere(path) &&
    draft.container.ground.isOwn(folderOf(normalize(path)));
}

/** Makes the place to mount on, where it is missing. */
export function makeMountPoint(draft: Draft, path: string, kind: "folder" | "file"): void {
  if (kind === "folder") return makeFolders(draft, path);
  makeFolders(draft, folderOf(normalize(path)));
  atEntry(draft, path, (folder, name) => {
    draft.call(mknodat(folder, name, S_IFREG | 0o644, 0), { accept: ["EEXIST"] });
  });
}

/** What mount(2) reads of its options at most: a page, with the NUL at its end. */
const OPTION_BYTES = 4095;

/** Mounts a new filesystem on a folder. */
export function mountAt(
  draft: Draft,
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string | null,
): void {
  checkOptions(draft, data);
  refuseRoot(draft, target);
  if (needsMountPoint(draft, target)) makeMountPoint(draft, target, "folder");
  if (isUnwatched(draft, target)) {
    draft.call(mount(source, target, type, flags, data));
  } else {
    // mount(2) takes no descriptor, but it takes the working directory.
    inPlace(draft, openAt(draft, target, O_PATH | O_DIRECTORY), () => {
      draft.call(mount(source, ".", type, flags, data));
    });
  }
  draft.container.ground.mounted(target, true);
}

/** Makes calls with an open folder as the working directory, and closes it. */
export function inPlace(draft: Draft, folder: ResultOf, use: () => void): void {
  const opened = draft.call(openat(at_fdcwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  const here = new ResultOf(opened, "here");
  draft.call(fchdir(folder));
  use();
  draft.call(fchdir(here));
  draft.call(close(here));
  draft.call(close(folder));
}

/** Refuses options that mount(2) would cut off without a word. */
export function checkOptions(draft: Draft, data: string | null): void {
  const size = new TextEncoder().encode(data ?? "").length;
  if (size > OPTION_BYTES) {
    draft.refuse(`the options have ${size} bytes, and mount(2) takes ${OPTION_BYTES}; use less`);
  }
}

/** What is mounted on the root lies above it, and paths still begin below (path_resolution(7)). */
function refuseRoot(draft: Draft, target: string): void {
  if (normalize(target) !== "/") return;
  draft.refuse(
    "what is mounted on / is seen by nobody, as paths begin below it; mount it in a folder, " +
      "on a tmpfs for instance, and make that the root with pivotRoot()",
  );
}

/**
 * Opens a folder that is to be the working directory. What is open in the script can still be
 * reached by /proc/self/fd, and a link to that, laid in the way, must not lead out (CVE-2024-21626).
 */
export function openFolder(path: string | Output): Call {
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return openat2(at_fdcwd, path, { flags, resolve: RESOLVE_NO_MAGICLINKS });
}

/** Makes a folder the working directory. */
export function enterFolder(add: (call: Call) => Call, path: string): void {
  const folder = new ResultOf(add(openFolder(path)), "folder");
  add(fchdir(folder));
  add(close(folder));
}

/** Opens a copy of what is mounted at a path of the host's. */
export function copyTree(draft: Draft, path: string, text: string, more = 0): ResultOf {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | more;
  if (draft.gate === undefined) {
    return new ResultOf(draft.call(open_tree(at_fdcwd, path, flags)), text);
  }
  const place = openAt(draft, path, O_PATH);
  const tree = draft.call(open_tree(place, "", flags | AT_EMPTY_PATH));
  draft.call(close(place));
  return new ResultOf(tree, text);
}

/**
 * Opens a copy of a device of the host's. It is read-only, where the kernel can make it so (Linux
 * 5.12): it can be written to as ever, but root of the host cannot change the device's mode by it.
 */
export function copyDevice(draft: Draft, path: string, text: string): ResultOf {
  const tree = copyTree(draft, path, text);
  const readOnly = mount_setattr(tree, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY });
  draft.call(readOnly, { accept: ["ENOSYS"] });
  return tree;
}

/** Attaches a mount that is open to a place. */
export function attachAt(draft: Draft, tree: Fd, target: string): void {
  refuseRoot(draft, target);
  const flags = MOVE_MOUNT_F_EMPTY_PATH;
  if (isUnwatched(draft, target)) {
    draft.call(move_mount(tree, "", at_fdcwd, target, flags));
  } else {
    const place = openAt(draft, target, O_PATH);
    draft.call(move_mount(tree, "", place, "", flags | MOVE_MOUNT_T_EMPTY_PATH));
    draft.call(close(place));
  }
}
