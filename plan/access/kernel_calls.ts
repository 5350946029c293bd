/**
 * The system calls by which a program reaches out of every namespace.
 *
 * @module
 */

import { denies, int, isDenial } from "../../ffi/seccomp/denial.ts";
import type { Abi } from "../../ffi/seccomp/all_syscalls.ts";
import { withMultiplexers } from "../../ffi/seccomp/multiplexed.ts";
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

/** Whether a filter denies all of these calls, also by the other ABIs that it is for. */
export function deniesKernelCalls(filter: SyscallFilter, others: readonly Abi[] = []): boolean {
  const rules = new RuleIndex(filter, new Set<string>([...CALLS, "socket"]));
  return isDenial(filter.unknown) && CALLS.every((name) => denies(rules, name)) &&
    FAMILIES.every((family) => denies(rules, "socket", int(family))) &&
    (!others.includes("i386") || deniesSocketCall(filter, SYS_SOCKET));
}

/** AF_UNIX; SOCK_DGRAM, and SOCK_RAW, which is the same for it; and the bits of a type. */
const [UNIX, DATAGRAMS, TYPE_BITS] = [1, [2, 3], 0xfn] as const;

/** Whether a filter denies all calls by which a program gets a unix socket that it can connect. */
export function deniesUnixSockets(filter: SyscallFilter, others: readonly Abi[] = []): boolean {
  const rules = new RuleIndex(filter, new Set(["socket", "socketpair", "io_uring_setup"]));
  return isDenial(filter.unknown) && denies(rules, "io_uring_setup") &&
    denies(rules, "socket", int(UNIX)) &&
    DATAGRAMS.every((value) =>
      denies(rules, "socketpair", int(UNIX), { value, bits: TYPE_BITS })
    ) &&
    (!others.includes("i386") ||
      [SYS_SOCKET, SYS_SOCKETPAIR].every((call) => deniesSocketCall(filter, call)));
}

/** Whether a call cannot be made by socketcall(2), as no filter sees its arguments. */
function deniesSocketCall(filter: SyscallFilter, call: number): boolean {
  const rules = new RuleIndex(withMultiplexers(filter, "i386"), new Set(["socketcall"]));
  return denies(rules, "socketcall", int(call));
}

/** The numbers of socket(2) and socketpair(2) in socketcall(2): linux/net.h. */
const [SYS_SOCKET, SYS_SOCKETPAIR] = [1, 8] as const;
