/**
 * Places in the container's file tree, as steps name them: opened beneath the root that a later
 * step will enter, so that no symlink there leads out of it (CVE-2021-30465).
 *
 * @module
 */

import { type Fd, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  fchdir,
  mkdirat,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_PATH,
  O_WRONLY,
  openat,
  openat2,
  RESOLVE_IN_ROOT,
} from "../ffi/calls/files.ts";
import {
  mount,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
} from "../ffi/calls/mounts.ts";
import type { Draft } from "./draft.ts";
import { folderOf, nameOf, normalize } from "./ground.ts";

/** A name in an opened folder, for the calls that end in `at`. */
export interface Entry {
  readonly folder: Fd;
  readonly name: string;
}

/** The folder that the path lies in, opened, and its name there. */
export function entryAt(draft: Draft, path: string): Entry {
  const root = draft.rootOf(path);
  if (root === undefined) return { folder: at_fdcwd, name: path };
  const normal = normalize(path);
  return { folder: openAt(draft, folderOf(normal), O_PATH | O_DIRECTORY), name: nameOf(normal) };
}

/** Opens the path. */
export function openAt(draft: Draft, path: string, flags: number, mode = 0): ResultOf {
  const root = draft.rootOf(path);
  if (root === undefined) {
    return new ResultOf(draft.call(openat(at_fdcwd, path, flags | O_CLOEXEC, mode)), "fd");
  }
  const opened = draft.call(openat(at_fdcwd, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  const folder = new ResultOf(opened, "root");
  const relative = normalize(path).slice(root.length) || ".";
  const how = { flags: flags | O_CLOEXEC, mode, resolve: RESOLVE_IN_ROOT };
  return new ResultOf(draft.call(openat2(folder, relative, how)), "fd");
}

/** Makes a folder, and those that it lies in, where they are missing. */
export function makeFolders(draft: Draft, path: string): void {
  const parts = normalize(path).slice(1).split("/");
  parts.forEach((_, index) => {
    const folder = "/" + parts.slice(0, index + 1).join("/");
    if (folder === draft.rootOf(path) || draft.ground.isMountPoint(folder)) return;
    const entry = entryAt(draft, folder);
    draft.call(mkdirat(entry.folder, entry.name, 0o755), { accept: ["EEXIST"] });
  });
}

/**
 * Whether the place to mount on may be missing, and the recipe may make it: on its own filesystems.
 * On the host's a missing place is an error of the mount.
 */
export function needsMountPoint(draft: Draft, path: string): boolean {
  return draft.ground.isOwn(path) && !draft.ground.isMountPoint(path);
}

/** Makes the place to mount on, where it is missing. */
export function makeMountPoint(draft: Draft, path: string, kind: "folder" | "file"): void {
  if (kind === "folder") return makeFolders(draft, path);
  makeFolders(draft, folderOf(normalize(path)));
  draft.call(close(openAt(draft, path, O_WRONLY | O_CREAT, 0o644)));
}

/** Mounts a new filesystem on a folder. */
export function mountAt(
  draft: Draft,
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string | null,
): void {
  if (needsMountPoint(draft, target)) makeMountPoint(draft, target, "folder");
  if (draft.rootOf(target) === undefined) {
    draft.call(mount(source, target, type, flags, data));
  } else {
    // mount(2) takes no descriptor, but it takes the working directory.
    const here = openat(at_fdcwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    draft.call(here);
    draft.call(fchdir(openAt(draft, target, O_PATH | O_DIRECTORY)));
    draft.call(mount(source, ".", type, flags, data));
    draft.call(fchdir(new ResultOf(here, "here")));
  }
  draft.ground.mounted(target, true);
}

/** Attaches a mount that is open to a place. */
export function attachAt(draft: Draft, tree: Fd, target: string): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH;
  if (draft.rootOf(target) === undefined) {
    draft.call(move_mount(tree, "", at_fdcwd, target, flags));
  } else {
    const place = openAt(draft, target, O_PATH);
    draft.call(move_mount(tree, "", place, "", flags | MOVE_MOUNT_T_EMPTY_PATH));
  }
}
