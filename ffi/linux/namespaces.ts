/**
 * Namespaces of the calling thread.
 *
 * All namespaces but the user namespace belong to a thread, not to the process. A `Worker` runs
 * JavaScript on a thread of its own, but asynchronous operations (nonblocking FFI, `Deno.readFile`)
 * run on threads of a pool, which stay in their namespaces.
 *
 * @module
 */

import * as calls from "../calls/namespaces.ts";
import { type Hints, syscall, syscalls } from "../syscalls.ts";
import { needs } from "./capability_hint.ts";
import { type Fd, raw } from "./owned_fd.ts";

const MANY_THREADS = "a process with several threads, as Deno is, cannot enter a user namespace " +
  '(user_namespaces(7)); a recipe can: recipe(unshare("user"), ...)';
const SHARED_ROOT = "a thread can enter a mount namespace only if it shares its root and working " +
  "directory with no other thread: call linux.unshare(linux.CLONE_FS) first";

/**
 * Moves the calling thread into new namespaces. See
 * [unshare(2)](https://man7.org/linux/man-pages/man2/unshare.2.html).
 *
 * `CLONE_NEWPID` and `CLONE_NEWTIME` take effect for later children of the thread. After
 * `CLONE_NEWPID` it cannot create threads (clone(2), EINVAL), which Deno may need: use a recipe for
 * that. `CLONE_NEWUSER` always fails here, as Deno has several threads.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` for `CLONE_NEWUSER`, `ENOSPC` if
 * there are as many namespaces as there may be
 * @tags allow-ffi
 *
 * @example For a Worker: a hostname that no other process sees
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function takeName(name: string): void {
 *   linux.unshare(linux.CLONE_NEWUTS);
 *   linux.sethostname(name);
 * }
 * ```
 */
export function unshare(flags: number): void {
  const shared = calls.CLONE_VM | calls.CLONE_SIGHAND | calls.CLONE_THREAD;
  syscall(calls.unshare(flags), {
    EPERM: needs("CAP_SYS_ADMIN", '"user", ...'),
    EINVAL: has(flags, calls.CLONE_NEWUSER)
      ? MANY_THREADS
      : has(flags, shared)
      ? "threads of one process cannot stop sharing this"
      : "this kernel does not have all of these namespaces (ls /proc/self/ns)",
    ENOSPC: "there are as many namespaces as sysctl user.max_*_namespaces allow, or they are " +
      "nested too deep",
  });
}

/**
 * Moves the calling thread into the namespace of a descriptor, or with a pidfd into namespaces of
 * a process. The kind 0 allows any namespace. See
 * [setns(2)](https://man7.org/linux/man-pages/man2/setns.2.html).
 *
 * A pid namespace takes effect for later children of the thread. A user namespace cannot be entered
 * here, as Deno has several threads.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` if the namespace is of another kind
 * or cannot be entered by a thread
 * @tags allow-ffi
 *
 * @example For a Worker: into the network namespace of a process
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function enterNetworkOf(pid: number): void {
 *   using process = linux.pidfd_open(pid);
 *   linux.setns(process, linux.CLONE_NEWNET);
 * }
 * ```
 */
export function setns(fd: Fd, kind = 0): void {
  const hints: Hints = {
    EPERM: needs("CAP_SYS_ADMIN there and here", '"user", ...'),
    EUSERS:
      "a process with several threads, as Deno is, cannot enter a time namespace; a recipe can",
    EINVAL: has(kind, calls.CLONE_NEWUSER)
      ? MANY_THREADS
      : has(kind, calls.CLONE_NEWNS)
      ? SHARED_ROOT
      : kind === 0
      ? `for a user namespace: ${MANY_THREADS}; for a mount namespace: ${SHARED_ROOT}`
      : "the descriptor is of another kind of namespace",
  };
  syscall(calls.setns(raw(fd), kind), hints);
}

/**
 * Makes a mount the root of the mount namespace, and moves the old root to a directory below. See
 * [pivot_root(2)](https://man7.org/linux/man-pages/man2/pivot_root.2.html).
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` if the new root is not a mount or
 * mounts are shared, `EBUSY` if the new root is the current root
 * @tags allow-ffi
 *
 * @example For a Worker with a mount namespace: a new root, and the old one is unmounted
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function enterRoot(path: string): void {
 *   linux.chdir(path);
 *   linux.pivot_root(".", ".");
 *   linux.umount2(".", linux.MNT_DETACH);
 * }
 * ```
 */
export function pivot_root(newRoot: string, oldRoot: string): void {
  syscall(calls.pivot_root(newRoot, oldRoot), {
    EPERM: needs("CAP_SYS_ADMIN", '"user", "mount"'),
    EINVAL: "the new root must be a mount (bind it on itself), no mount may be shared " +
      "(MS_REC|MS_PRIVATE on /), and the root must not be the initial ramdisk",
  });
}

/**
 * Makes a directory the root of the calling thread, and of the threads that share it: all threads of
 * the process, unless the thread has called `unshare(CLONE_FS)`. See
 * [chroot(2)](https://man7.org/linux/man-pages/man2/chroot.2.html).
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_CHROOT, `ENOENT`, `ENOTDIR`
 * @tags allow-ffi
 *
 * @example For a Worker
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function enterDirectory(path: string): void {
 *   linux.unshare(linux.CLONE_FS);
 *   linux.chroot(path);
 *   linux.chdir("/");
 * }
 * ```
 */
export function chroot(path: string): void {
  syscall(calls.chroot(path), { EPERM: needs("CAP_SYS_CHROOT", '"user", "mount"') });
}

/**
 * Sets the hostname of the thread's UTS namespace. See
 * [sethostname(2)](https://man7.org/linux/man-pages/man2/sethostname.2.html).
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` for more than 64 bytes
 * @tags allow-ffi
 *
 * @example For a Worker
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function takeName(name: string): void {
 *   linux.unshare(linux.CLONE_NEWUTS);
 *   linux.sethostname(name);
 * }
 * ```
 */
export function sethostname(name: string): void {
  syscall(calls.sethostname(name), nameHints("hostname"));
}

/**
 * Sets the NIS domain name of the thread's UTS namespace. See
 * [setdomainname(2)](https://man7.org/linux/man-pages/man2/setdomainname.2.html).
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN, `EINVAL` for more than 64 bytes
 * @tags allow-ffi
 *
 * @example For a Worker
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function takeDomain(domain: string): void {
 *   linux.unshare(linux.CLONE_NEWUTS);
 *   linux.setdomainname(domain);
 * }
 * ```
 */
export function setdomainname(name: string): void {
  syscall(calls.setdomainname(name), nameHints("domain name"));
}

/**
 * Returns the hostname of the thread's UTS namespace. See
 * [gethostname(2)](https://man7.org/linux/man-pages/man2/gethostname.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.gethostname(), linux.uname().nodename);
 * ```
 */
export function gethostname(): string {
  return uname().nodename;
}

/**
 * Returns the names of the kernel and the machine. See
 * [uname(2)](https://man7.org/linux/man-pages/man2/uname.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.uname().sysname, "Linux");
 * ```
 */
export function uname(): calls.Utsname {
  const names = calls.utsname();
  return calls.readUtsname(syscalls([{ call: calls.uname(names) }]).output(names));
}

function nameHints(what: string): Hints {
  return {
    EPERM: needs("CAP_SYS_ADMIN", '"user", "uts"'),
    EINVAL: `a ${what} has at most 64 bytes`,
  };
}

function has(flags: number, some: number): boolean {
  return (flags & some) !== 0;
}
