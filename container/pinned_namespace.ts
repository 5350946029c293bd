/**
 * Namespaces without a process in them, which a bind mount pins, as ip-netns(8) does.
 *
 * @module
 */

import {
  at_fdcwd,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
} from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH, AT_FDCWD, MNT_DETACH, mount, MS_BIND } from "../ffi/calls/mounts.ts";
import type { Statx } from "../ffi/calls/statx.ts";
import { SyscallError } from "../ffi/errors.ts";
import { ERRNO } from "../ffi/errno.ts";
import { statx, unlinkat } from "../ffi/linux/directories.ts";
import { open } from "../ffi/linux/files.ts";
import { umount2 } from "../ffi/linux/mounts.ts";
import { OwnedFd } from "../ffi/linux/owned_fd.ts";
import { syscall } from "../ffi/syscalls.ts";
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
  readonly #id: NamespaceId;
  #released = false;

  /** Use {@linkcode Container.pin}. */
  constructor(kind: NamespaceKind, path: string, id: NamespaceId) {
    this.kind = kind;
    this.path = path;
    this.#id = id;
  }

  /**
   * Unmounts and removes the file. The namespace exists as long as a process is in it.
   *
   * @throws {SyscallError} `EINVAL` if the file was unmounted before, or something else is at its
   * path, which is left alone; `ENOENT` if nothing is there
   */
  release(): void {
    if (this.#released) return;
    // What is unmounted is what was looked at: who may write in the directory could put a link there.
    using file = open(this.path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    const { dev, ino } = namespaceId(file);
    if (dev !== this.#id.dev || ino !== this.#id.ino) throw isNotMounted(this.path);
    umount2(descriptorPath(file), MNT_DETACH);
    this.#released = true;
    unlinkat(AT_FDCWD, this.path);
  }

  /** Releases it at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** The identity of a namespace: its file on nsfs (namespaces(7)). */
type NamespaceId = Pick<Statx, "dev" | "ino">;

function namespaceId(file: OwnedFd): NamespaceId {
  return statx(file, "", AT_EMPTY_PATH);
}

/** The path of an open file, for mount(2) and umount2(2), which take no descriptor. */
function descriptorPath(file: OwnedFd): string {
  return `${processDirectory("thread-self")}/fd/${file.number}`;
}

/** Mounts the namespace of a process on a new file. */
export function pinNamespace(pid: number, kind: NamespaceKind, path: string): PinnedNamespace {
  using namespace = open(
    `${processDirectory(pid)}/ns/${NAMESPACE_FILE[kind]}`,
    O_PATH | O_CLOEXEC,
  );
  using file = makeFile(path);
  try {
    syscall(mount(descriptorPath(namespace), descriptorPath(file), null, MS_BIND, null));
  } catch (error) {
    unlinkat(AT_FDCWD, path);
    throw error instanceof SyscallError ? withHint(error, kind) : error;
  }
  return new PinnedNamespace(kind, path, namespaceId(namespace));
}

function makeFile(path: string): OwnedFd {
  const made = openat(at_fdcwd, path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444);
  const hint = "the namespace is mounted on a new file, in a directory that is there";
  return new OwnedFd(syscall(made, hint));
}

function isNotMounted(path: string): SyscallError {
  return new SyscallError({
    syscall: "umount2",
    errno: ERRNO.EINVAL,
    call: `umount2(${JSON.stringify(path)}, MNT_DETACH)`,
    hint: "the namespace is not mounted there any longer, and what is there now was left alone",
  });
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
      "than this script's; Linux 6.18 tells that rightly if both were made on one processor " +
      "(taskset -c 0 deno run ...)";
  }
  return undefined;
}
