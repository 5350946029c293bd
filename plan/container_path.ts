/**
 * Paths in the container's file tree, as steps name them. They are opened beneath the root that a
 * later step will enter, or beneath the filesystem of the recipe that they lie on, so that no
 * symbolic link there leads out of it (CVE-2021-30465); what lies on the host's files is opened by
 * the path that it had when the plan was made, without following a link.
 *
 * Every call that mounts, unmounts, makes or changes a file goes through here: none takes a string.
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
import { filesystemFull, READ_ONLY, unsearchable } from "./fixes.ts";

/** Where the lookup of a path begins, and what becomes of links that lead out of there. */
type Base =
  /** At a directory that it does not leave: a root to come, or a mount of the recipe's. */
  | { readonly kind: "beneath"; readonly directory: string; readonly resolve: number }
  /** At the root of the host, without links. */
  | { readonly kind: "host"; readonly resolved: string }
  /** At the root that the container has, or its working directory. */
  | { readonly kind: "current" };

/** A new filesystem, as mount(2) takes it. */
export interface NewFilesystem {
  readonly source: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string | null;
  readonly fixes?: LazyFixes;
}

/** What a mount point is made for. */
export type MountPointKind = "directory" | "file";

/** Moves a mount that is open onto what is open. */
export const ONTO_FD: number = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

/** A path of the container. */
export class ContainerPath {
  /** The path as the step names it. */
  readonly path: string;
  /** The path by which the mount table knows it: on the host's files without links. */
  readonly canonical: string;
  readonly #plan: PlanBuilder;
  readonly #base: Base;

  /** Use {@linkcode PlanBuilder.path}. */
  constructor(plan: PlanBuilder, path: string, lookup?: "current") {
    this.#plan = plan;
    this.path = path;
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
    // By a link of the host's the path may lead to what the recipe has mounted.
    this.canonical = followLinks(plan, normal);
    this.#base = baseOf(plan, this.canonical);
  }

  /** Opens what is there. */
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
      // What is open in the script can be reached by /proc/self/fd, and a link to that must not
      // lead out (CVE-2024-21626).
      return openat2(at_fdcwd, this.canonical, { flags, mode, resolve: RESOLVE_NO_MAGICLINKS });
    }
    const { directory, resolve } = base;
    const relative = this.canonical.slice(directory === "/" ? 1 : directory.length + 1) || ".";
    return openat2(this.#plan.directory(directory), relative, { flags, mode, resolve });
  }

  /** What the errors of a lookup mean here, unless the step says more. */
  #lookupFixes(flags: number): Fixes {
    const base = this.#base;
    return {
      EACCES: (flags & O_PATH) === 0 ? undefined : unsearchable(this.path),
      ELOOP: base.kind === "host"
        ? `${base.resolved} has a symbolic link on the way by now, which was not there when the ` +
          "plan was made"
        : base.kind === "current"
        ? `a link on the way to ${this.path} leads out of the container by /proc, or there are ` +
          "too many links"
        : `there are too many symbolic links on the way to ${this.path}`,
      EROFS: READ_ONLY,
      ENOSPC: filesystemFull(this.path),
      ...(base.kind === "beneath" && {
        EXDEV: `a symbolic link on the way to ${this.path} leads out of ${base.directory}; make ` +
          "it a relative one within it",
      }),
    };
  }

  /** Uses the directory that the path lies in, opened, and its name there. */
  inParent(write: (directory: Fd, name: string) => void): void {
    write(this.#plan.directory(parentOf(this.canonical)), nameOf(this.canonical));
  }

  /** Makes a directory, and those that it lies in, where they are missing. */
  makeDirectories(): void {
    const { state, cursor } = this.#plan;
    const root = cursor.rootOf(this.canonical);
    let directory = "";
    for (const name of this.canonical.slice(1).split("/")) {
      directory += `/${name}`;
      if (state.mounts.isThere(directory)) continue;
      if (root !== undefined && isWithin(root, directory)) continue;
      this.#plan.path(directory).#makeDirectory();
    }
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
   * Whether the place to mount on may be missing, and the recipe may make it: on its own
   * filesystems. On the host's a missing mount point is an error.
   */
  get needsMountPoint(): boolean {
    const { mounts } = this.#plan.state;
    return !mounts.isThere(this.canonical) &&
      mounts.isContainerMount(parentOf(this.canonical));
  }

  /**
   * Opens the directory at which the lookup begins, so that calls that may be skipped need not: what
   * they open is not open behind them.
   */
  openBase(): void {
    const base = this.#base;
    if (base.kind !== "beneath") return;
    if (this.#plan.state.mounts.mountOf(base.directory).certain) {
      this.#plan.directory(base.directory);
    }
  }

  /** Makes the directory that the mount point is to lie in, where it is missing, and opens it. */
  makeParent(): void {
    this.openBase();
    if (!this.needsMountPoint) return;
    const parent = parentOf(this.canonical);
    if (parent !== "/") this.#plan.path(parent).makeDirectories();
    this.#plan.directory(parent);
  }

  /** Makes the place to mount on, where it is missing. */
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
  mountOn({ source, type, flags, data, fixes = {} }: NewFilesystem): void {
    this.#refuseRoot();
    if (this.needsMountPoint) this.makeMountPoint("directory");
    const place = this.open(O_PATH | O_DIRECTORY, {
      fixes: () => ({
        ENOENT: `the mount point ${this.path} does not exist; mkdir() makes one where the recipe ` +
          "may",
        ENOTDIR: `the mount point ${this.path} is not a directory`,
      }),
    });
    this.#plan.inDirectory(place, () => {
      this.#plan.call(mount(source, ".", type, flags, data), { fixes });
    });
    this.#plan.release(place);
  }

  /** Attaches a mount that is open. */
  attach(tree: Fd, source: string): void {
    this.#refuseRoot();
    const place = this.open(O_PATH, {
      fixes: () => ({
        ENOENT: `the mount point ${this.path} does not exist; mkdir() or writeFile() makes one ` +
          "where the recipe may",
      }),
    });
    this.attachTo(place, tree, source);
    this.#plan.release(place);
  }

  /** Attaches a mount that is open to what has been opened here. */
  attachTo(place: Fd, tree: Fd, source: string): void {
    const { mountFixes } = this.#plan.state;
    const fixes = () => {
      const kinds = `${source} and ${this.path} are of two kinds: a directory can be bound on a ` +
        "directory only, and a file on a file only";
      return { ENOTDIR: kinds, EINVAL: kinds, ...mountFixes };
    };
    this.#plan.call(move_mount(tree, "", place, "", ONTO_FD), { fixes });
  }

  /** Changes the attributes of the mount, or its propagation. */
  setAttributes(attributes: MountAttributes, recursive: boolean, fixes: LazyFixes): void {
    const place = this.#openMount();
    const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    this.#plan.call(mount_setattr(place, "", flags, attributes), { fixes });
    this.#plan.release(place);
  }

  /** Changes the filesystem itself, with mount(2)'s flags and options. */
  reconfigure(flags: number, data: string | null, fixes: LazyFixes): void {
    const place = this.#openMount(O_DIRECTORY);
    this.#plan.inDirectory(place, () => {
      this.#plan.call(mount(null, ".", null, flags, data), { fixes });
    });
    this.#plan.release(place);
  }

  /**
   * Takes the topmost mount at the place away. umount2(2) takes no descriptor, and what is open
   * keeps a mount busy: so the kernel is asked for the path of what was opened, and all that is open
   * is closed before.
   */
  unmount(detach: boolean, fixes: LazyFixes): void {
    const plan = this.#plan;
    plan.rememberWorkingDirectory();
    const [done, isFile] = [new Label("unmounted"), new Label("what is mounted is a file")];
    const place = this.#openMount(O_DIRECTORY, { accept: ["ENOTDIR"], onAccepted: isFile });
    if (detach) {
      plan.inDirectory(place, () => {
        plan.call(umount2(".", MNT_DETACH), { fixes });
      });
      plan.call(close(place), { onZero: done });
    } else {
      const path = new Output(4096, "&path");
      plan.inDirectory(place, () => void plan.call(getcwd(path)));
      plan.call(close(place));
      plan.call(chdir("/"));
      plan.closeDirectories();
      plan.call(umount2(path, UMOUNT_NOFOLLOW), { fixes, onZero: done });
    }
    plan.place(isFile);
    this.inParent((parent, name) => {
      plan.inDirectory(parent, () => {
        plan.call(umount2(name, UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)), { fixes });
      });
    });
    plan.closeDirectories();
    plan.place(done);
  }

  #openMount(more = 0, options: CallOptions = {}): ResultOf {
    const fixes = () => ({ ENOENT: `${this.path} does not exist` });
    return this.open(O_PATH | more, { ...options, fixes });
  }

  /** A mount on / is invisible: path lookup starts beneath it (path_resolution(7)). */
  #refuseRoot(): void {
    if (this.canonical !== "/") return;
    this.#plan.refuse(
      "a mount on / is invisible, as path lookup starts beneath it; mount it on a directory, " +
        "of a tmpfs for instance, and make that the root with pivotRoot()",
    );
  }
}

/** Where the host's links lead a path, down to where it comes to what the recipe has mounted. */
function followLinks(plan: PlanBuilder, path: string): string {
  for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) {
    const { path: directory } = plan.resolve(path.slice(0, end));
    if (!plan.state.mounts.isHostFile(directory)) return directory + path.slice(end);
  }
  return plan.resolve(path).path;
}

function baseOf(plan: PlanBuilder, path: string): Base {
  const root = plan.cursor.rootOf(path);
  if (root !== undefined) return { kind: "beneath", directory: root, resolve: RESOLVE_IN_ROOT };
  const { mounts } = plan.state;
  const { target, own } = mounts.mountAbove(path);
  if (target !== "/" && (own || mounts.atHostRoot)) {
    return { kind: "beneath", directory: target, resolve: RESOLVE_BENEATH };
  }
  if (!mounts.atHostRoot) return { kind: "current" };
  const { path: resolved } = plan.resolve(path);
  if (resolved.startsWith("/")) return { kind: "host", resolved };
  return plan.refuse(`${path} is ${resolved}, which has no path of its own`);
}
