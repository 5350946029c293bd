/**
 * Paths in the container's file tree, as steps name them. They are opened beneath the root that a
 * later step enters, or beneath the mount of the recipe that they are on, so that no symbolic link
 * leads out of it (CVE-2021-30465). A path on the host's files is resolved when the plan is made,
 * and then opened without following links.
 *
 * Every call that mounts, unmounts, makes or changes a file goes through here; none takes a string.
 *
 * @module
 */

import { type Call, type Fd, Output, type ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  chdir,
  close,
  getcwd,
  mkdirat,
  mknodat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  S_IFREG,
} from "../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MNT_DETACH,
  mount,
  mount_setattr,
  type MountAttributes,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  umount2,
  UMOUNT_NOFOLLOW,
} from "../ffi/calls/mounts.ts";
import { Label } from "../ffi/engine/program.ts";
import { allOf, type Fixes, type LazyFixes } from "../ffi/fix.ts";
import { resolveFlag } from "../host/resolve_path.ts";
import { climbs, isWithin, nameOf, normalize, parentOf } from "../recipe/path.ts";
import type { CallOptions, PlanBuilder } from "./builder.ts";
import { filesystemFull, linkOnTheWay, READ_ONLY, unsearchable } from "./fixes.ts";
import { unexpanded } from "../recipe/unexpanded.ts";

/** The directory at which the lookup of a path starts. */
type Base =
  /** A directory that the lookup cannot leave: a later root, or a mount of the recipe. */
  | { readonly kind: "beneath"; readonly directory: string; readonly resolve: number }
  /** The root of the host; no symbolic links are followed. */
  | { readonly kind: "host"; readonly resolved: string }
  /** The current root of the container, or its working directory. */
  | { readonly kind: "current" };

/** The arguments of mount(2) for a new filesystem. */
export interface NewFilesystem {
  readonly source: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string | null;
  readonly fixes?: LazyFixes;
  /** Whether a missing mount point is made, wherever it is. */
  readonly make?: boolean | undefined;
}

/** The type of file that a mount point is. */
export type MountPointKind = "directory" | "file";

/** Flags of move_mount(2): both the mount and the mount point are open descriptors. */
export const ONTO_FD: number = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

/** A path of the container. */
export class ContainerPath {
  /** The path as the step names it. */
  readonly path: string;
  /** The path for the mount table: on the host's files, without symbolic links. */
  readonly canonical: string;
  readonly #plan: PlanBuilder;
  readonly #base: Base;

  /** Use {@linkcode PlanBuilder.path}. */
  constructor(plan: PlanBuilder, path: string, lookup?: "current") {
    this.#plan = plan;
    this.path = path;
    plan.countPath(path);
    const absolute = lookup === undefined && path.startsWith("/") && !climbs(path);
    if (!absolute) {
      [this.#base, this.canonical] = [{ kind: "current" }, path];
      return;
    }
    const normal = normalize(path);
    const base = baseOf(plan, normal);
    if (base.kind !== "host" || base.resolved === normal) {
      [this.#base, this.canonical] = [base, normal];
      return;
    }
    // A symbolic link of the host may lead to a mount of the recipe.
    this.canonical = followLinks(plan, normal);
    this.#base = baseOf(plan, this.canonical);
  }

  /** Opens the file. */
  open(flags: number, options: CallOptions & { readonly mode?: number } = {}): ResultOf {
    const { mode = 0, accept, onAccepted } = options;
    const call = this.#opening(flags | O_CLOEXEC, mode);
    const fixes = () => ({ ...this.#lookupFixes(flags), ...allOf(options.fixes) });
    return this.#plan.open(call, `<${this.path}>`, { accept, onAccepted, fixes });
  }

  #opening(flags: number, mode: number): Call {
    const base = this.#base;
    if (base.kind === "host") {
      const how = { flags, mode, resolve: resolveFlag({ path: base.resolved }) };
      return openat2(at_fdcwd, base.resolved, how);
    }
    if (base.kind === "current") {
      // Descriptors of the script are open until execve(2), and a link to /proc/self/fd must not
      // lead out by them (CVE-2024-21626).
      return openat2(at_fdcwd, this.canonical, { flags, mode, resolve: RESOLVE_NO_MAGICLINKS });
    }
    const { directory, resolve } = base;
    const relative = this.canonical.slice(directory === "/" ? 1 : directory.length + 1) || ".";
    return openat2(this.#plan.directories.at(directory), relative, { flags, mode, resolve });
  }

  /** The fixes for errors of a lookup, unless the step has its own. */
  #lookupFixes(flags: number): Fixes {
    const base = this.#base;
    return {
      EACCES: (flags & O_PATH) === 0 ? undefined : unsearchable(this.path),
      ELOOP: base.kind === "host"
        ? this.#plan.host.isHere
          ? `a symbolic link on the way to ${base.resolved} has appeared since the plan was made`
          : linkOnTheWay(base.resolved)
        : base.kind === "current"
        ? `a link on the way to ${this.path} leads out of the container by /proc, or there are ` +
          "too many links"
        : `there are too many symbolic links on the way to ${this.path}`,
      ENXIO: `${this.path} is a pipe or a socket, not a file`,
      EROFS: READ_ONLY,
      ENOSPC: filesystemFull(this.path),
      ...(base.kind === "beneath" && {
        EAGAIN:
          `a symbolic link on the way to ${this.path} leads over .., which cannot be looked up ` +
          "while others rename or mount files without a pause",
        EXDEV: `a symbolic link on the way to ${this.path} leads out of ${base.directory}; make ` +
          "it a relative one within it",
      }),
    };
  }

  /** Adds calls that use the open parent directory, and the name in it. */
  inParent(write: (directory: Fd, name: string) => void): void {
    write(this.#plan.directories.at(parentOf(this.canonical)), nameOf(this.canonical));
  }

  /** Makes the directory and its parents, unless they exist. */
  makeDirectories(): void {
    const { state, cursor } = this.#plan;
    const root = cursor.rootOf(this.canonical);
    const missing: string[] = [];
    // Where a directory is there, those around it are too.
    for (let directory = this.canonical; directory !== "/"; directory = parentOf(directory)) {
      if (state.mounts.isThere(directory)) break;
      // A later root is there, unless it is on a filesystem of the recipe.
      const holdsRoot = root !== undefined && isWithin(root, directory);
      if (holdsRoot && !state.mounts.isContainerMount(directory)) break;
      missing.push(directory);
    }
    for (const directory of missing.reverse()) this.#plan.path(directory).#makeDirectory();
  }

  #makeDirectory(): void {
    const fixes = () => ({
      ENOTDIR: `something on the way to ${this.path} is not a directory`,
      EROFS: READ_ONLY,
      ENOSPC: filesystemFull(this.path),
    });
    this.inParent((parent, name) => {
      this.#plan.call(mkdirat(parent, name, 0o755), { accept: ["EEXIST"], fixes });
    });
    const { mounts } = this.#plan.state;
    if (this.#plan.isSkippable || !mounts.isContainerMount(this.canonical)) return;
    mounts.madeDirectory(this.canonical);
  }

  /**
   * Whether the mount point may be missing, and the recipe makes it. It does so on its own
   * filesystems only; on the host's a missing mount point is an error.
   */
  get needsMountPoint(): boolean {
    const { mounts } = this.#plan.state;
    return !mounts.isThere(this.canonical) &&
      mounts.isContainerMount(parentOf(this.canonical));
  }

  /**
   * Opens the directory at which the lookup starts before calls that may be skipped, so that it
   * stays open after them.
   */
  openBase(): void {
    const base = this.#base;
    if (base.kind !== "beneath") return;
    if (this.#plan.state.mounts.mountOf(base.directory).certain) {
      this.#plan.directories.at(base.directory);
    }
  }

  /** Makes the parent directory of the mount point if that may be missing, and opens it. */
  makeParent(): void {
    this.openBase();
    if (!this.needsMountPoint) return;
    const parent = parentOf(this.canonical);
    if (parent !== "/") this.#plan.path(parent).makeDirectories();
    this.#plan.directories.at(parent);
  }

  /** Makes the mount point, unless it exists. */
  makeMountPoint(kind: MountPointKind): void {
    if (kind === "directory") return this.makeDirectories();
    const parent = parentOf(this.canonical);
    if (parent !== "/") this.#plan.path(parent).makeDirectories();
    this.inParent((directory, name) => {
      this.#plan.call(mknodat(directory, name, S_IFREG | 0o644, 0), {
        accept: ["EEXIST"],
        fixes: () => ({ EROFS: READ_ONLY, ENOSPC: filesystemFull(this.path) }),
      });
    });
  }

  /** Mounts a new filesystem on the directory. */
  mountOn({ source, type, flags, data, fixes = {}, make }: NewFilesystem): void {
    this.refuseRoot();
    if (make === true || this.needsMountPoint) this.makeMountPoint("directory");
    const place = this.open(O_PATH | O_DIRECTORY, {
      fixes: () => ({
        ENOENT: this.#missingMountPoint("mkdir() makes one on a filesystem of the recipe"),
        ENOTDIR: `the mount point ${this.path} is not a directory`,
      }),
    });
    this.#plan.directories.inside(place, () => {
      this.#plan.call(mount(source, ".", type, flags, data), { fixes });
    });
    this.#plan.release(place);
  }

  /** The fix where the mount point does not exist: for a path of the recipe's own, the words. */
  #missingMountPoint(fix: string): string {
    const missing = `the mount point ${this.path} does not exist`;
    const expected = unexpanded(this.path);
    if (expected !== "") return missing + expected;
    return this.#base.kind === "host"
      ? `${missing} on the host; take one that does, such as /mnt`
      : `${missing}; ${fix}`;
  }

  /** Attaches an open mount here. */
  attach(tree: Fd, source: string): void {
    this.refuseRoot();
    const place = this.open(O_PATH, {
      fixes: () => ({
        ENOENT: this.#missingMountPoint(
          "mkdir() or writeFile() makes one on a filesystem of the recipe",
        ),
      }),
    });
    this.attachTo(place, tree, source);
    this.#plan.release(place);
  }

  /** Attaches an open mount to the mount point that was opened by this path. */
  attachTo(place: Fd, tree: Fd, source: string): void {
    const { mountFixes } = this.#plan.state;
    const fixes = () => {
      const kinds = `one of ${source} and ${this.path} is a directory and the other is not: a ` +
        "directory can only be bound on a directory, and a file on a file";
      return { ENOTDIR: kinds, EINVAL: kinds, ...mountFixes };
    };
    this.#plan.call(move_mount(tree, "", place, "", ONTO_FD), { fixes });
  }

  /** Changes the attributes or the propagation of the mount. See mount_setattr(2). */
  setAttributes(attributes: MountAttributes, recursive: boolean, fixes: LazyFixes): void {
    const place = this.#openMount();
    const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    this.#plan.call(mount_setattr(place, "", flags, attributes), { fixes });
    this.#plan.release(place);
  }

  /** Changes the filesystem itself: mount(2) with MS_REMOUNT. */
  reconfigure(flags: number, data: string | null, fixes: LazyFixes): void {
    const place = this.#openMount(O_DIRECTORY);
    this.#plan.directories.inside(place, () => {
      this.#plan.call(mount(null, ".", null, flags, data), { fixes });
    });
    this.#plan.release(place);
  }

  /**
   * Unmounts the topmost mount. umount2(2) takes no descriptor, and an open file keeps a mount
   * busy, so it gets the path that getcwd(2) returns for the open mount, after all descriptors are
   * closed.
   */
  unmount(detach: boolean, fixes: LazyFixes): void {
    const plan = this.#plan;
    plan.directories.rememberWorking();
    const [done, isFile] = [
      new Label("what is mounted is a directory"),
      new Label("what is mounted is a file"),
    ];
    // Whichever way is taken, nothing is open at its end that was open before.
    plan.directories.closeAll();
    const place = this.#openMount(O_DIRECTORY, { accept: ["ENOTDIR"], onAccepted: isFile });
    const path = new Output(4096, "&path");
    plan.directories.inside(place, () => {
      plan.call(detach ? umount2(".", MNT_DETACH) : getcwd(path), detach ? { fixes } : {});
    });
    if (!detach) plan.call(chdir("/"));
    const opened = plan.directories.closeAll();
    plan.call(close(place), detach ? { onZero: done } : {});
    if (!detach) plan.call(umount2(path, UMOUNT_NOFOLLOW), { fixes, onZero: done });
    plan.place(isFile);
    this.inParent((parent, name) => {
      plan.directories.inside(parent, () => {
        plan.call(umount2(name, UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)), { fixes });
      });
    });
    plan.directories.closeAll();
    for (const fd of opened) plan.call(close(fd));
    plan.place(done);
  }

  #openMount(more = 0, options: CallOptions = {}): ResultOf {
    const fixes = () => ({ ENOENT: `${this.path} does not exist${unexpanded(this.path)}` });
    return this.open(O_PATH | more, { ...options, fixes });
  }

  /** Refuses /: a mount on / is invisible: path lookup starts beneath it (path_resolution(7)). */
  refuseRoot(): void {
    if (this.canonical !== "/") return;
    this.#plan.refuse(
      "a mount on / is invisible, as path lookup starts beneath it; mount it on a directory, " +
        "of a tmpfs for instance, and make that the root with pivotRoot()",
    );
  }
}

/** Follows the host's links in a path, up to the first mount of the recipe. */
function followLinks(plan: PlanBuilder, path: string): string {
  for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) {
    const { path: directory, id } = plan.resolveTrusted(path.slice(0, end));
    // Beneath what cannot be found no link is followed.
    if (id === undefined || !plan.state.mounts.isHostFile(directory)) {
      return directory + path.slice(end);
    }
  }
  return plan.resolveTrusted(path).path;
}

function baseOf(plan: PlanBuilder, path: string): Base {
  const root = plan.cursor.rootOf(path);
  if (root !== undefined) {
    plan.access.recordLookup(path);
    return { kind: "beneath", directory: root, resolve: RESOLVE_IN_ROOT };
  }
  const { mounts } = plan.state;
  const { target, own, certain } = mounts.mountAbove(path);
  if (target !== "/" && (own || mounts.atHostRoot)) {
    // Where the mount is missing the directory is the host's, and links in it lead elsewhere.
    const resolve = certain ? RESOLVE_BENEATH : RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return { kind: "beneath", directory: target, resolve };
  }
  if (!mounts.atHostRoot) return { kind: "current" };
  const { path: resolved } = plan.resolveTrusted(path);
  if (resolved.startsWith("/")) return { kind: "host", resolved };
  return plan.refuse(`${path} is ${resolved}, which has no path`);
}
