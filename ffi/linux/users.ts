/**
 * Users, groups and capabilities of the calling thread.
 *
 * To the kernel, they are attributes of a thread. These functions change the calling thread alone,
 * unlike the functions of libc with the same names (nptl(7)).
 *
 * @module
 */

import type { Call, Output } from "../call.ts";
import * as calls from "../calls/users.ts";
import { type Hints, syscall, syscalls } from "../syscalls.ts";

/** The real, the effective and the saved id of a thread. See credentials(7). */
export interface Ids {
  /** The id of the user or group that started it. */
  readonly real: number;
  /** The id that determines its permissions. */
  readonly effective: number;
  /** The id that the effective id can be set to again. */
  readonly saved: number;
}

/**
 * Returns the real user id. See [getuid(2)](https://man7.org/linux/man-pages/man2/getuid.2.html).
 * Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.getuid(), linux.getresuid().real);
 * ```
 */
export function getuid(): number {
  return syscall(calls.getuid());
}

/**
 * Returns the effective user id. See
 * [geteuid(2)](https://man7.org/linux/man-pages/man2/getuid.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.geteuid(), linux.getresuid().effective);
 * ```
 */
export function geteuid(): number {
  return syscall(calls.geteuid());
}

/**
 * Returns the real group id. See [getgid(2)](https://man7.org/linux/man-pages/man2/getgid.2.html).
 * Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.getgid(), linux.getresgid().real);
 * ```
 */
export function getgid(): number {
  return syscall(calls.getgid());
}

/**
 * Returns the effective group id. See
 * [getegid(2)](https://man7.org/linux/man-pages/man2/getgid.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.getegid(), linux.getresgid().effective);
 * ```
 */
export function getegid(): number {
  return syscall(calls.getegid());
}

/**
 * Returns the real, effective and saved user ids. See
 * [getresuid(2)](https://man7.org/linux/man-pages/man2/getresuid.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const { real, effective, saved } = linux.getresuid();
 * ```
 */
export function getresuid(): Ids {
  return ids(calls.getresuid);
}

/**
 * Returns the real, effective and saved group ids. See
 * [getresgid(2)](https://man7.org/linux/man-pages/man2/getresuid.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const { real, effective, saved } = linux.getresgid();
 * ```
 */
export function getresgid(): Ids {
  return ids(calls.getresgid);
}

/**
 * Sets the user ids of the calling thread; -1 leaves one as it is. See
 * [setresuid(2)](https://man7.org/linux/man-pages/man2/setresuid.2.html).
 *
 * @throws {SyscallError} `EPERM` for an id that the thread does not have, without CAP_SETUID; `EINVAL`
 * for an id that is not mapped into the user namespace
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * linux.setresuid(-1, linux.geteuid(), -1);
 * ```
 */
export function setresuid(real: number, effective: number, saved: number): void {
  syscall(calls.setresuid(real, effective, saved), idHints("CAP_SETUID"));
}

/**
 * Sets the group ids of the calling thread; -1 leaves one as it is. See
 * [setresgid(2)](https://man7.org/linux/man-pages/man2/setresuid.2.html).
 *
 * @throws {SyscallError} `EPERM` for an id that the thread does not have, without CAP_SETGID; `EINVAL`
 * for an id that is not mapped into the user namespace
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * linux.setresgid(-1, linux.getegid(), -1);
 * ```
 */
export function setresgid(real: number, effective: number, saved: number): void {
  syscall(calls.setresgid(real, effective, saved), idHints("CAP_SETGID"));
}

/**
 * Returns the supplementary groups. See
 * [getgroups(2)](https://man7.org/linux/man-pages/man2/getgroups.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const groups: number[] = linux.getgroups();
 * ```
 */
export function getgroups(): number[] {
  const count = syscall(calls.getgroups(null));
  const groups = calls.groupsOutput(count);
  const view = syscalls([{ call: calls.getgroups(groups) }]).output(groups);
  return Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true));
}

/**
 * Sets the supplementary groups of the calling thread. See
 * [setgroups(2)](https://man7.org/linux/man-pages/man2/getgroups.2.html).
 *
 * @throws {SyscallError} `EPERM` without CAP_SETGID, or if the user namespace denies it
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function leaveGroups(): void {
 *   linux.setgroups([]);
 * }
 * ```
 */
export function setgroups(groups: readonly number[]): void {
  syscall(calls.setgroups(groups), idHints("CAP_SETGID"));
}

/**
 * Returns the capabilities of the calling thread. See
 * [capget(2)](https://man7.org/linux/man-pages/man2/capget.2.html). Cannot fail.
 *
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const mayMount = linux.capget().effective.includes("CAP_SYS_ADMIN");
 * ```
 */
export function capget(): calls.CapabilityState {
  const data = calls.capabilityOutput();
  return calls.readCapabilities(syscalls([{ call: calls.capget(data) }]).output(data));
}

/**
 * Sets the capabilities of the calling thread. See
 * [capset(2)](https://man7.org/linux/man-pages/man2/capget.2.html).
 *
 * @throws {SyscallError} `EPERM` for a capability that the thread does not have
 * @tags allow-ffi
 *
 * @example For a Worker: no privileges
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * function dropPrivileges(): void {
 *   linux.capset({ effective: [], permitted: [], inheritable: [] });
 * }
 * ```
 */
export function capset(state: calls.CapabilityState): void {
  syscall(calls.capset(state), { EPERM: "a thread can keep capabilities, and cannot add any" });
}

function ids(describe: (real: Output, effective: Output, saved: Output) => Call): Ids {
  const [real, effective, saved] = [
    calls.idOutput("&real"),
    calls.idOutput("&effective"),
    calls.idOutput("&saved"),
  ] as const;
  const outcome = syscalls([{ call: describe(real, effective, saved) }]);
  const id = (output: Output) => outcome.output(output).getUint32(0, true);
  return { real: id(real), effective: id(effective), saved: id(saved) };
}

function idHints(capability: string): Hints {
  return {
    EPERM: `this takes ${capability}; a user namespace may deny setgroups(2) altogether`,
    EINVAL: "the id is not mapped into the user namespace",
  };
}
