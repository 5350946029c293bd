/**
 * Attributes and limits of a process or a thread.
 *
 * @module
 */

import { Output } from "../call.ts";
import {
  PR_GET_CHILD_SUBREAPER,
  PR_GET_NAME,
  PR_GET_PDEATHSIG,
  prctl as prctlCall,
  prlimit64,
  readRlimit,
  type ResourceName,
  type Rlimit,
  rlimitOutput,
  RLIMITS,
} from "../calls/processes.ts";
import { syscall, syscalls } from "../syscalls.ts";

// TASK_COMM_LEN (linux/sched.h): the name of a thread, its NUL included.
const NAME_LENGTH = 16;

/**
 * Sets or gets an attribute; `PR_GET_NAME` returns a text, all others a number. See
 * [prctl(2)](https://man7.org/linux/man-pages/man2/prctl.2.html).
 *
 * The parent-death signal, the name, no_new_privs, the securebits and the capabilities belong to the
 * calling thread.
 *
 * @throws {SyscallError} `EINVAL` for an unknown operation, `EPERM` without the capability
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const name = linux.prctl(linux.PR_GET_NAME);
 * linux.prctl(linux.PR_SET_NAME, "kitchen");
 * assertEquals(linux.prctl(linux.PR_GET_NAME), "kitchen");
 * linux.prctl(linux.PR_SET_NAME, name);
 * ```
 */
export function prctl(operation: typeof PR_GET_NAME): string;
/** Sets or gets an attribute that is a number. */
export function prctl(
  operation: number,
  argument2?: number | string,
  argument3?: number,
  argument4?: number,
  argument5?: number,
): number;
export function prctl(
  operation: number,
  argument2: number | string = 0,
  argument3 = 0,
  argument4 = 0,
  argument5 = 0,
): number | string {
  switch (operation) {
    case PR_GET_NAME: {
      const name = new Output(NAME_LENGTH, "&name");
      const view = syscalls([{ call: prctlCall(operation, name) }]).output(name);
      const bytes = new Uint8Array(view.buffer, view.byteOffset, NAME_LENGTH);
      return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
    }
    // These two store an int where their argument points.
    case PR_GET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER: {
      const value = new Output(4, "&value");
      return syscalls([{ call: prctlCall(operation, value) }]).output(value).getInt32(0, true);
    }
    default:
      return syscall(prctlCall(operation, argument2, argument3, argument4, argument5), {
        EPERM: "this takes CAP_SETPCAP, or a capability that the thread does not have",
      });
  }
}

/**
 * Returns a limit of a process, and sets it if a new one is given; 0 stands for this process. See
 * [prlimit(2)](https://man7.org/linux/man-pages/man2/prlimit.2.html).
 *
 * @throws {SyscallError} `EPERM` if a hard limit is raised without CAP_SYS_RESOURCE, `EINVAL` if the
 * soft limit is above the hard one, `ESRCH`
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const { hard } = linux.prlimit(0, "CORE");
 * linux.prlimit(0, "CORE", { soft: 0, hard });
 * assertEquals(linux.prlimit(0, "CORE").soft, 0n);
 * ```
 */
export function prlimit(
  pid: number,
  resource: ResourceName,
  limit: Rlimit | null = null,
): Record<keyof Rlimit, bigint> {
  const old = rlimitOutput();
  const call = prlimit64(pid, RLIMITS[resource], limit, old);
  const outcome = syscalls([{ call }], {
    EPERM: "raising a hard limit takes CAP_SYS_RESOURCE outside of user namespaces",
    EINVAL: "the soft limit is above the hard one",
  });
  return readRlimit(outcome.output(old));
}
