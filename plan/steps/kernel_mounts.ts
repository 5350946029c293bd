/**
 * Filesystems of the kernel that are mounted below a directory of the host. They show and change the
 * machine, not files of that directory.
 *
 * @module
 */

import { Named, type ResultOf } from "../../ffi/call.ts";
import {
  O_CLOEXEC,
  O_PATH,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
} from "../../ffi/calls/files.ts";
import { compareWord } from "../../ffi/calls/futex.ts";
import { fstatfs, statfsOutput } from "../../ffi/calls/statfs.ts";
import { AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, mount_setattr } from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/engine/program.ts";
import { isKernelMount, kernelMountsIn, mountAt } from "../../host/kernel_mounts.ts";
import { directoriesAround } from "../../host/visible_mounts.ts";
import type { CallOptions, PlanBuilder } from "../builder.ts";
import { unsearchable } from "../fixes.ts";
import { coverWithEmpty, withEmptyFiles } from "./empty_files.ts";

/** The permission of everybody to search a directory (inode(7)). */
const S_IXOTH = 0o001;

/** Refuses a source that is such a filesystem itself. */
export function refuseKernelMount(source: string, resolved: string, plan: PlanBuilder): void {
  const mount = mountAt(resolved, plan.facts.mounts);
  if (mount === undefined || !isKernelMount(mount)) return;
  plan.refuse(
    `${source} is a filesystem of the kernel (${mount.type}), by which the machine can be seen and ` +
      "changed; name the files and directories in it that the program needs",
  );
}

/** Checks in the launch that an open file is of no filesystem of the kernel. */
export function refuseKernelFile(file: ResultOf, plan: PlanBuilder): void {
  const statfs = statfsOutput();
  plan.call(fstatfs(file, statfs));
  const [found, none] = [new Label("it is of the kernel"), new Label("it is not of the kernel")];
  KERNEL_MAGIC.forEach((magic, index) => {
    const isLast = index === KERNEL_MAGIC.length - 1;
    plan.call(compareWord(statfs, new Named(magic, `0x${magic.toString(16)}`)), {
      accept: ["EAGAIN"],
      onZero: found,
      ...(isLast && { onAccepted: none }),
    });
  });
  plan.place(found);
  // No filesystem has this number, so the comparison fails.
  plan.call(compareWord(statfs, new Named(0, "a filesystem of files, not of the kernel")));
  plan.place(none);
}

/** The numbers of these filesystems (linux/magic.h, and the sources of those that are not there). */
const KERNEL_MAGIC = [
  0x6c6f6f70, // binderfs
  0x42494e4d, // binfmt_misc
  0xcafe4a11, // bpf
  0x27e0eb, // cgroup, cpuset
  0x63677270, // cgroup2
  0x62656570, // configfs
  0x64626720, // debugfs
  0x1cd1, // devpts
  0xde5e81e4, // efivarfs
  0xa647361, // functionfs
  0x65735543, // fusectl
  0x19800202, // mqueue
  0x6e667364, // nfsd
  0x6e736673, // nsfs
  0x9fa0, // proc
  0x6165676c, // pstore
  0x7655821, // resctrl
  0x67596969, // rpc_pipefs
  0x73636673, // securityfs
  0xf97cff8c, // selinuxfs
  0x43415d53, // smackfs
  0x62656572, // sysfs
  0x74726163, // tracefs
  0xabba1974, // xenfs
];

/**
 * Covers those below the source with empty files and directories. Another mount, or none, in the
 * place of one fails the launch: who may move directories there could otherwise uncover it.
 */
export function coverKernelMounts(resolved: string, target: string, plan: PlanBuilder): void {
  const paths = kernelMountsIn(resolved, plan.facts.mounts);
  if (paths.length === 0) return;
  withEmptyFiles(plan, (empty) => {
    // It stays open behind the calls that may be skipped.
    plan.directories.at(target);
    plan.forFound(() => new Cover(plan, resolved, target, empty).paths(paths, resolved));
  });
}

/** Covers filesystems of the kernel in one directory of the container. */
class Cover {
  readonly #plan: PlanBuilder;
  readonly #source: string;
  readonly #target: string;
  readonly #empty: ResultOf;

  constructor(plan: PlanBuilder, source: string, target: string, empty: ResultOf) {
    this.#plan = plan;
    this.#source = source;
    this.#target = target;
    this.#empty = empty;
  }

  /** Covers those in a directory that can be searched. */
  paths(paths: readonly string[], directory: string): void {
    for (const [closed, within] of Map.groupBy(paths, (path) => this.#closedOn(path, directory))) {
      if (closed !== undefined) this.#unlessClosed(closed, within);
      else for (const path of within) this.#cover(path);
    }
  }

  /** Returns the first directory on the way that not everybody may search. */
  #closedOn(path: string, directory: string): string | undefined {
    return directoriesAround(path, directory).slice(0, -1).findLast((on) => {
      const { attributes } = this.#plan.facts.resolve(on);
      return attributes !== undefined && (attributes.mode & S_IXOTH) === 0;
    });
  }

  /**
   * Covers what is in a directory, or where the container's user may not search it, the directory:
   * its owner could let the program in later.
   */
  #unlessClosed(directory: string, paths: readonly string[]): void {
    const plan = this.#plan;
    plan.skippable(`${directory} can be searched`, (end) => {
      const closed = new Label(`${directory} cannot be searched`);
      const inside = this.#open(directory, "/.", { accept: ["EACCES"], onAccepted: closed });
      this.paths(paths, directory);
      plan.goTo(end, inside);
      plan.place(closed);
      const place = this.#open(directory);
      coverWithEmpty(plan, place, directory, this.#empty);
      plan.release(place);
    });
  }

  #cover(path: string): void {
    const plan = this.#plan;
    const place = this.#open(path);
    // mount_setattr(2) takes nothing but the root of a mount.
    plan.call(mount_setattr(place, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY }), {
      fixes: () => ({ ...plan.state.mountFixes, EINVAL: moved(path) }),
    });
    coverWithEmpty(plan, place, path, this.#empty);
    plan.release(place);
    const [target, certain] = [this.#targetOf(path), !plan.isSkippable];
    plan.mounted({ target, type: "mask", readOnly: true, certain });
  }

  #open(path: string, more = "", options: CallOptions = {}): ResultOf {
    const how = { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
    const opened = openat2(this.#plan.directories.at(this.#target), this.#restOf(path) + more, how);
    return this.#plan.open(opened, `<${this.#targetOf(path)}${more}>`, {
      ...options,
      fixes: () => ({
        ENOENT: moved(path),
        ENOTDIR: moved(path),
        ELOOP: moved(path),
        EACCES: unsearchable(path),
      }),
    });
  }

  #restOf(path: string): string {
    return path.slice(this.#source === "/" ? 1 : this.#source.length + 1);
  }

  #targetOf(path: string): string {
    return `${this.#target === "/" ? "" : this.#target}/${this.#restOf(path)}`;
  }
}

function moved(path: string): string {
  return `the filesystem of the kernel at ${path} has been moved or unmounted meanwhile`;
}
