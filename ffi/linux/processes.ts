/**
 * Processes and threads.
 *
 * @module
 */

import * as calls from "../calls/processes.ts";
import {
  type ChildState,
  P_PID,
  P_PIDFD,
  readChildState,
  siginfoOutput,
  waitid as waitidCall,
  WEXITED,
} from "../calls/waiting.ts";
import { syscall, syscalls } from "../syscalls.ts";
import { type Fd, OwnedFd, raw } from "./owned_fd.ts";

/** A signal: its name, or its number if it has none. */
export type Signal = calls.SignalName | number;

const OTHERS = "the process belongs to another user: this takes CAP_KILL";

/**
 * Returns the process's id in its pid namespace. See
 * [getpid(2)](https://man7.org/linux/man-pages/man2/getpid.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.getpid(), Deno.pid);
 * ```
 */
export function getpid(): number {
  return syscall(calls.getpid());
}

/**
 * Returns the parent's id; 0 if it is in another pid namespace. See
 * [getppid(2)](https://man7.org/linux/man-pages/man2/getpid.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.getppid(), Deno.ppid);
 * ```
 */
export function getppid(): number {
  return syscall(calls.getppid());
}

/**
 * Returns the thread's id; that of the main thread is the process's id. See
 * [gettid(2)](https://man7.org/linux/man-pages/man2/gettid.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assert } from "@std/assert";
 *
 * assert(linux.gettid() > 0);
 * ```
 */
export function gettid(): number {
  return syscall(calls.gettid());
}

/**
 * Makes the process the leader of a new session without a terminal, and returns the session's id. See
 * [setsid(2)](https://man7.org/linux/man-pages/man2/setsid.2.html).
 *
 * @throws {SyscallError} `EPERM` if the process leads a process group, as a job of a shell does
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function leaveTerminal(): void {
 *   linux.setsid();
 * }
 * ```
 */
export function setsid(): number {
  return syscall(calls.setsid(), {
    EPERM: "the process leads a process group; a child of it can start a session",
  });
}

/**
 * Returns the session id of a process; 0 stands for the caller. See
 * [getsid(2)](https://man7.org/linux/man-pages/man2/getsid.2.html).
 *
 * @throws {SyscallError} `ESRCH`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.getsid(), linux.getsid(linux.getpid()));
 * ```
 */
export function getsid(pid = 0): number {
  return syscall(calls.getsid(pid));
}

/**
 * Sends a signal; 0 only checks whether it could be sent. See
 * [kill(2)](https://man7.org/linux/man-pages/man2/kill.2.html).
 *
 * @throws {SyscallError} `ESRCH`, `EPERM`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * linux.kill(linux.getpid(), 0);
 * ```
 */
export function kill(pid: number, signal: Signal): void {
  syscall(calls.kill(pid, numberOf(signal)), { EPERM: OTHERS });
}

/**
 * Opens a descriptor of a process. Unlike a pid, it never refers to another process later. See
 * [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html). Linux 5.3.
 *
 * @throws {SyscallError} `ESRCH`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using myself = linux.pidfd_open(Deno.pid);
 * linux.pidfd_send_signal(myself, 0);
 * ```
 */
export function pidfd_open(pid: number, flags = 0): OwnedFd {
  return new OwnedFd(syscall(calls.pidfd_open(pid, flags)));
}

/**
 * Sends a signal to the process of a descriptor. See
 * [pidfd_send_signal(2)](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html). Linux 5.1.
 *
 * @throws {SyscallError} `ESRCH` if the process has ended, `EPERM`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using myself = linux.pidfd_open(Deno.pid);
 * linux.pidfd_send_signal(myself, "SIGCONT");
 * ```
 */
export function pidfd_send_signal(pidfd: Fd, signal: Signal): void {
  syscall(calls.pidfd_send_signal(raw(pidfd), numberOf(signal)), { EPERM: OTHERS });
}

/**
 * Copies a descriptor of another process. See
 * [pidfd_getfd(2)](https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html). Linux 5.6.
 *
 * @throws {SyscallError} `EPERM` if the process may not be traced, `EBADF`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using myself = linux.pidfd_open(Deno.pid);
 * using root = linux.open("/");
 * using copy = linux.pidfd_getfd(myself, root.number);
 * ```
 */
export function pidfd_getfd(pidfd: Fd, target: number): OwnedFd {
  return new OwnedFd(syscall(calls.pidfd_getfd(raw(pidfd), target), {
    EPERM: "this takes the right to trace the process: CAP_SYS_PTRACE (ptrace(2))",
  }));
}

/**
 * Waits for a child of this process, by its pid or its descriptor. See
 * [waitid(2)](https://man7.org/linux/man-pages/man2/waitid.2.html).
 *
 * The thread blocks. With `WNOHANG` it does not, and the result is `undefined` while the child has
 * not changed. Deno and this module already wait for the children of `Deno.Command` and containers.
 *
 * @throws {SyscallError} `ECHILD` if it is not a child, `EINTR`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux, SyscallError } from "@ramekin/ramekin";
 * import { assertThrows } from "@std/assert";
 *
 * const options = linux.WEXITED | linux.WNOHANG;
 * assertThrows(() => linux.waitid(linux.getpid(), options), SyscallError, "ECHILD");
 * ```
 */
export function waitid(child: number | OwnedFd, options: number = WEXITED): ChildState | undefined {
  const info = siginfoOutput();
  const call = typeof child === "number"
    ? waitidCall(P_PID, child, info, options)
    : waitidCall(P_PIDFD, child.number, info, options);
  return readChildState(syscalls([{ call }]).output(info));
}

function numberOf(signal: Signal): number {
  return typeof signal === "number" ? signal : calls.SIGNALS[signal];
}
