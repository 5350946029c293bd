/**
 * The system calls by which a program reaches out of every namespace.
 *
 * @module
 */

import { denies, isDenial } from "../../ffi/seccomp/denial.ts";
import { RuleIndex, type SyscallFilter } from "../../ffi/seccomp/filter.ts";

/** Calls that have to be denied. */
const CALLS = [
  // The session's keyring stays the script's in every namespace (session-keyring(7)).
  "add_key",
  "keyctl",
  "request_key",
  // By sysctl kernel.dmesg_restrict and kernel.perf_event_paranoid these may be open to all.
  "perf_event_open",
  "syslog",
  // In new user and cgroup namespaces, a mount of cgroup2 shows the script's control group.
  "fsopen",
  "mount",
  // Its work is not filtered: it makes sockets too.
  "io_uring_setup",
] as const;

/** Families of sockets that network namespaces do not separate: AF_IUCV, AF_VSOCK, AF_QIPCRTR. */
const FAMILIES = [32, 40, 42] as const;

/** Whether a filter denies all of these calls. */
export function deniesKernelCalls(filter: SyscallFilter): boolean {
  const rules = new RuleIndex(filter, new Set<string>([...CALLS, "socket"]));
  return isDenial(filter.unknown) && CALLS.every((name) => denies(rules, name)) &&
    FAMILIES.every((family) => denies(rules, "socket", family));
}
