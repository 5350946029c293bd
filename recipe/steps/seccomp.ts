/**
 * The step `seccomp`: the system calls that the program may make. See seccomp(2).
 *
 * @module
 */

import { isSyscallName, syscallNames } from "../../ffi/seccomp/all_syscalls.ts";
import { suggestion } from "../nearest.ts";
import { boolean, lazy, list, optional, type Schema, text } from "../schema.ts";
import { quoted } from "../shown.ts";
import { SECCOMP_GROUPS } from "../seccomp_default.ts";
import { SECCOMP_DENIALS } from "../seccomp_denials.ts";
import {
  type SeccompArchitecture,
  seccompArchitectures,
  type SeccompProfile,
  seccompProfile,
} from "../seccomp_profile.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Limits the system calls that the program may make. */
export interface SeccompStep extends SeccompAllowance {
  /** The name of the step. */
  readonly step: "seccomp";
  /**
   * The profile.
   *
   * @default {DEFAULT_SECCOMP_PROFILE}
   */
  readonly profile?: SeccompProfile;
  /**
   * Whether programs may gain privileges under the filter all the same, as by files of set-user-ID.
   * That takes CAP_SYS_ADMIN, so `setUser`, `capabilities` and `noNewPrivileges` come after the step,
   * and are done under the filter; no other step may follow it.
   */
  readonly privileged?: boolean;
}

/** What {@linkcode seccomp} takes in place of a profile: what to allow or deny beside the default. */
export interface SeccompAllowance {
  /**
   * Calls by their names, `"@mounts"` for those that mount and unmount, and `"@namespaces"` for
   * `clone`, `clone3`, `unshare` and `setns` without limits.
   */
  readonly allow?: readonly string[];
  /**
   * Calls by their names, which fail with `EPERM` even if they are in `allow`, or names of `allow`
   * for groups of them; `"@setuid-files"` for what makes files that run as their owner or group
   * (chmod, mknod, open and the like with the bits of set-user-ID or set-group-ID; `openat2` fails
   * with `ENOSYS`, and programs use `openat`); `"@unix-sockets"` for unix sockets other than
   * connected pairs (`socketpair` of streams); `"@attributes"` for modes, owners, times, flags and
   * extended attributes of files; `"@subvolumes"` for those of btrfs; `"@ipc"` for shared memory, semaphores and queues of System V, and queues of
   * POSIX; and `"@limits-of-others"` for `prlimit64` of another process.
   */
  readonly deny?: readonly string[];
  /**
   * The architectures of programs beside the machine's own, as a profile has them:
   * `["SCMP_ARCH_X86"]` for 32-bit programs on x86_64. A program of another one is killed (SIGSYS).
   */
  readonly architectures?: readonly SeccompArchitecture[];
}

/**
 * Limits the system calls of the program and of all that it starts: to those that ordinary programs
 * need ({@linkcode DEFAULT_SECCOMP_PROFILE}), to these and more or without some, or by a profile in the shape of
 * the OCI runtime specification.
 *
 * Wherever the step is in the recipe, the filter takes effect just before the program starts, so
 * that it limits no other step. The program and all that it starts can then gain no privileges, as
 * after `noNewPrivileges()`, which the kernel requires. The init of `init()` is not limited. Needs
 * no privilege.
 *
 * @throws {RecipeError} for a name that no call has; when it is planned with a profile that does
 * not allow the program to start (execve, exit_group), or that is longer than the kernel takes,
 * 4096 instructions
 * @throws {SyscallError} when it is run: `EINVAL` where this kernel has no seccomp filters, `EPERM`
 * where an active filter forbids another
 *
 * @example
 * ```ts
 * import { recipe, seccomp } from "@ramekin/ramekin";
 *
 * const box = recipe(seccomp());
 * const { success } = await box.command("unshare", { args: ["-U", "true"], stderr: "null" })
 *   .output();
 * console.log(success); // false
 * ```
 *
 * @example A container that can make mounts in namespaces of its own
 * ```ts
 * import { recipe, seccomp } from "@ramekin/ramekin";
 *
 * const box = recipe(seccomp({ allow: ["@mounts", "@namespaces"] }));
 * console.log(box.plan().toString());
 * ```
 */
export function seccomp(profile: SeccompProfile | SeccompAllowance = {}): SeccompStep {
  return "defaultAction" in profile
    ? { step: "seccomp", profile }
    : { step: "seccomp", ...profile as SeccompAllowance };
}

/** The names of every call there is. */
const callNames = lazy(() => [...syscallNames()]);

/** The name of a system call, or of one of these groups. */
function callName(groups: readonly string[]): Schema {
  return text({
    expected: `the name of a system call, or ${groups.map((name) => `"${name}"`).join(", ")}`,
    min: 1,
    issue: (name) =>
      groups.includes(name) || isSyscallName(name)
        ? undefined
        : `there is no call ${quoted(name)}${suggestion(name, [...groups, ...callNames()])}`,
  });
}

/** What the data of `seccomp` may be. */
export const seccompSchema: StepSchema<SeccompStep> = stepSchema(
  "seccomp",
  () => {
    const groups = Object.keys(SECCOMP_GROUPS);
    return {
      profile: optional(seccompProfile()),
      allow: optional(list(callName(groups))),
      deny: optional(list(callName([...groups, ...Object.keys(SECCOMP_DENIALS)]))),
      architectures: optional(seccompArchitectures()),
      privileged: optional(boolean()),
    };
  },
);
