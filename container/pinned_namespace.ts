/**
 * Namespaces without a process in them, which a bind mount pins, as ip-netns(8) does.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  openat,
  unlinkat,
} from "../ffi/calls/files.ts";
import { MNT_DETACH, mount, MS_BIND, umount2 } from "../ffi/calls/mounts.ts";
import { SyscallError } from "../ffi/errors.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { processDirectory } from "../ffi/proc/proc_dir.ts";
import { NAMESPACE_FILE, type NamespaceKind } from "../recipe/namespaces.ts";

/**
 * A namespace that is pinned by a mount on a file. `join(pinned.path)` enters it, also from another
 * script. It exists until it is released, the file is unmounted, or the machine stops.
 *
 * @example For root: a network that several containers use one after the other
 * ```ts
 * import { join, loopback, recipe, unshare } from "@ramekin/ramekin";
 *
 * async function runInOneNetwork(programs: readonly string[]): Promise<void> {
 *   const maker = recipe(unshare("net"), loopback()).command("sleep", { args: ["60"] }).spawn();
 *   const network = maker.pin("net", "/run/kitchen-network");
 *   try {
 *     await maker[Symbol.asyncDispose]();
 *     for (const program of programs) {
 *       await recipe(join(network.path)).command(program).spawn().status;
 *     }
 *   } finally {
 *     network.release();
 *   }
 * }
 * ```
 */
export class PinnedNamespace implements Disposable {
  /** The kind of namespace. */
  readonly kind: NamespaceKind;
  /** The path of the file that it is mounted on. */
  readonly path: string;
  #released = false;

  /** Use {@linkcode Container.pin}. */
  constructor(kind: NamespaceKind, path: string) {
    this.kind = kind;
    this.path = path;
  }

  /**
   * Unmounts and removes the file. The namespace exists as long as a process is in it.
   *
   * @throws {SyscallError} `EINVAL` if the file was unmounted before, `ENOENT` if it is gone
   */
  release(): void {
    if (this.#released) return;
    syscall(umount2(this.path, MNT_DETACH));
    this.#released = true;
    syscall(unlinkat(at_fdcwd, this.path, 0));
  }

  /** Releases it at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** Mounts the namespace of a process on a new file. */
export function pinNamespace(pid: number, kind: NamespaceKind, path: string): PinnedNamespace {
  const made = openat(at_fdcwd, path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444);
  syscalls(
    [{ call: made }, { call: close(new ResultOf(made, "fd")) }],
    "the namespace is mounted on a new file, in a directory that is there",
  );
  const bind = mount(
    `${processDirectory(pid)}/ns/${NAMESPACE_FILE[kind]}`,
    path,
    null,
    MS_BIND,
    null,
  );
  try {
    syscall(bind);
  } catch (error) {
    syscall(unlinkat(at_fdcwd, path, 0));
    throw error instanceof SyscallError ? withHint(error, kind) : error;
  }
  return new PinnedNamespace(kind, path);
}

function withHint({ syscall, errno, code, call }: SyscallError, kind: NamespaceKind) {
  return new SyscallError({ syscall, errno, call, hint: hintOf(code, kind) });
}

function hintOf(code: string, kind: NamespaceKind): string | undefined {
  if (code === "EPERM") {
    return "a namespace is pinned by a mount in this script's own file tree, which takes " +
      "CAP_SYS_ADMIN; an ordinary user can keep one by a container that goes on running in it";
  }
  if (code === "EINVAL" && kind === "mount") {
    return "a mount namespace cannot be pinned where it would see that mount itself: the mount " +
      "that the file is on has to be private (mount --make-private), and the namespace younger " +
      "than this script's";
  }
  return undefined;
}
