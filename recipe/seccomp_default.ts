/**
 * The default profile of `seccomp()`: the calls that programs need, without those that only
 * administer the machine. It follows the profiles of the container engines.
 *
 * @module
 */

import { ERRNO } from "../ffi/errno.ts";
import type { SeccompProfile, SeccompRule } from "./seccomp_profile.ts";

const FILES = `
  access chdir chmod chown chroot close close_range copy_file_range creat dup dup2 dup3 faccessat
  faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
  flock fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 lchown link linkat lseek
  lstat mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2
  pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename
  renameat renameat2 rmdir sendfile splice stat statfs statx symlink symlinkat sync sync_file_range
  syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev
  fgetxattr flistxattr fremovexattr fsetxattr getxattr lgetxattr listxattr llistxattr lremovexattr
  lsetxattr removexattr setxattr getxattrat listxattrat removexattrat setxattrat
  file_getattr file_setattr listmount statmount
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
  io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
`;

const WAITING = `
  epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll
  ppoll pselect6 select signalfd signalfd4
  alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time
  timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
  timerfd_gettime timerfd_settime times
`;

/** These two only read the clock, as setting it needs a capability on the host. */
const CLOCK = `adjtimex clock_adjtime`;

const MEMORY = `
  brk cachestat madvise map_shadow_stack memfd_create memfd_secret mincore mlock mlock2 mlockall mmap
  mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
  process_mrelease remap_file_pages
`;

const PROCESSES = `
  arch_prctl capget capset execve execveat exit exit_group fork get_robust_list get_thread_area
  getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom
  getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill membarrier
  pause pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq rt_sigaction rt_sigpending
  rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
  sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
  sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield set_robust_list set_thread_area set_tid_address setfsgid setfsuid
  setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid
  sigaltstack sysinfo tgkill tkill uname vfork wait4 waitid
  futex futex_requeue futex_wait futex_waitv futex_wake
  ptrace process_vm_readv process_vm_writev uprobe uretprobe
  seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
  lsm_get_self_attr lsm_list_modules
`;

const MESSAGES = `
  accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
  sendmmsg sendmsg sendto setsockopt shutdown
  mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd
  semctl semget semop semtimedop shmat shmctl shmdt shmget
`;

/** The calls that only 32-bit programs make, in place of some of the above. */
const NARROW = `
  _llseek arm_fadvise64_64 arm_sync_file_range chown32 fadvise64_64 fchown32 fcntl64 fstat64
  fstatat64 fstatfs64 ftruncate64 io_pgetevents_time64 lchown32 lstat64 sendfile64 stat64 statfs64
  truncate64 utimensat_time64
  _newselect clock_adjtime64 clock_getres_time64 clock_gettime64 clock_nanosleep_time64
  ppoll_time64 pselect6_time64 timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64
  mmap2
  futex_time64 getegid32 geteuid32 getgid32 getgroups32 getresgid32 getresuid32 getuid32 nice
  olduname rt_sigtimedwait_time64 sched_rr_get_interval_time64 setfsgid32 setfsuid32 setgid32
  setgroups32 setregid32 setresgid32 setresuid32 setreuid32 setuid32 sigaction signal sigpending
  sigprocmask sigreturn sigsuspend ugetrlimit waitpid
  mq_timedreceive_time64 mq_timedsend_time64 recv recvmmsg_time64 semtimedop_time64 send
  breakpoint cacheflush get_tls set_tls
`;

/**
 * The calls that a container needs to make containers itself, by the names that `allow` and `deny`
 * take.
 */
export const SECCOMP_GROUPS = {
  "@mounts": `
    fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr pivot_root
    umount umount2
  `,
  "@namespaces": "clone clone3 setns unshare",
} as const;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const CLONE_NAMESPACES = 0x7e02_0000;
const CLONE_NEWTIME = 0x80;

// The kernel reads only the lower half of these arguments, so the filter compares only that half: a
// bit in the upper one must not make the argument look allowed (CVE-2019-10063).
const INT = 0xffff_ffff;

/** The families that programs use: AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET. */
const SOCKET_FAMILIES = [1, 2, 10, 16, 17];

/**
 * The execution domains: PER_LINUX, PER_LINUX32, both with UNAME26; ~0 only reads the current one.
 */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** The requests that put characters into a terminal as if typed: TIOCSTI, TIOCLINUX. */
const TYPING = [0x5412, 0x541c];

/**
 * The default profile of `seccomp()`. The calls that ordinary programs make are allowed. All others
 * fail with `EPERM`, and those that are newer than Ramekin's tables with `ENOSYS`.
 *
 * Not allowed are mounts, namespaces (`clone` and `unshare` are allowed without their flags),
 * kernel modules and BPF programs, keyrings, `perf_event_open`, `userfaultfd`, io_uring, files by
 * handles, swap, clocks, quotas, accounting and rebooting; sockets other than unix, internet,
 * netlink and packet sockets (`EAFNOSUPPORT`); personalities that weaken a process; and typing into a terminal
 * (`TIOCSTI`). `clone3` fails with `ENOSYS`, as a filter cannot read its flags; programs then use
 * `clone`.
 *
 * @example The same without sockets
 * ```ts
 * import { DEFAULT_SECCOMP_PROFILE, recipe, seccomp } from "@ramekin/ramekin";
 *
 * const syscalls = DEFAULT_SECCOMP_PROFILE.syscalls?.map((rule) => ({
 *   ...rule,
 *   names: rule.names.filter((name) => name !== "socket"),
 * })).filter(({ names }) => names.length > 0);
 * const box = recipe(seccomp({ ...DEFAULT_SECCOMP_PROFILE, syscalls: syscalls ?? [] }));
 * console.log((await box.command("true").output()).success); // true
 * ```
 */
export const DEFAULT_SECCOMP_PROFILE: SeccompProfile = {
  defaultAction: "SCMP_ACT_ERRNO",
  get syscalls(): readonly SeccompRule[] {
    return [
      allow([FILES, WAITING, CLOCK, MEMORY, PROCESSES, MESSAGES, NARROW].flatMap(words)),
      allowWhere(["clone"], { index: 0, bits: CLONE_NAMESPACES, are: 0 }),
      allowWhere(["unshare"], { index: 0, bits: CLONE_NAMESPACES + CLONE_NEWTIME, are: 0 }),
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ERRNO.ENOSYS },
      ...SOCKET_FAMILIES.map((are) =>
        allowWhere(["socket", "socketpair"], { index: 0, bits: INT, are })
      ),
      // As of a family that the kernel does not have: programs then try another one.
      { names: ["socket", "socketpair"], action: "SCMP_ACT_ERRNO", errnoRet: ERRNO.EAFNOSUPPORT },
      ...PERSONALITIES.map((are) => allowWhere(["personality"], { index: 0, bits: INT, are })),
      ...TYPING.map((are): SeccompRule => ({
        ...allowWhere(["ioctl"], { index: 1, bits: INT, are }),
        action: "SCMP_ACT_ERRNO",
      })),
      allow(["ioctl"]),
    ];
  },
};

/**
 * Returns the profile with more calls allowed, by name or by a name of {@linkcode SECCOMP_GROUPS}.
 */
export function allowMore(profile: SeccompProfile, more: readonly string[]): SeccompProfile {
  if (more.length === 0) return profile;
  return { ...profile, syscalls: [allow(more.flatMap(callsOf)), ...profile.syscalls ?? []] };
}

/** Returns the calls of a group of {@linkcode SECCOMP_GROUPS}, or the call of that name. */
export function callsOf(name: string): readonly string[] {
  const groups: Readonly<Record<string, string>> = SECCOMP_GROUPS;
  return words(groups[name] ?? name);
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

function allow(names: readonly string[]): SeccompRule {
  return { names, action: "SCMP_ACT_ALLOW" };
}

/** A rule that allows calls where these bits of an argument have this value. */
function allowWhere(
  names: readonly string[],
  { index, bits, are }: { readonly index: number; readonly bits: number; readonly are: number },
): SeccompRule {
  return {
    ...allow(names),
    args: [{ index, value: bits, valueTwo: are, op: "SCMP_CMP_MASKED_EQ" }],
  };
}
