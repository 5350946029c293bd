/**
 * The flags of clone(2), unshare(2) and setns(2). See linux/sched.h.
 *
 * @module
 */

/** A new time namespace, for future children. See time_namespaces(7). */
export const CLONE_NEWTIME = 0x80;
/** The child shares the memory. */
export const CLONE_VM = 0x100;
/** Root, working directory and umask: the child shares them, and unshare(2) copies them. */
export const CLONE_FS = 0x200;
/** The table of descriptors: the child shares it, and unshare(2) copies it. */
export const CLONE_FILES = 0x400;
/** The child shares the signal handlers. */
export const CLONE_SIGHAND = 0x800;
/** A pidfd of the child is stored instead of its pid. */
export const CLONE_PIDFD = 0x1000;
/** A tracer traces the child as well. */
export const CLONE_PTRACE = 0x2000;
/** The parent is suspended until the child ends or calls execve(2). */
export const CLONE_VFORK = 0x4000;
/** The child gets the same parent as the caller. */
export const CLONE_PARENT = 0x8000;
/** The child is a thread of the calling process. */
export const CLONE_THREAD = 0x10000;
/** A new mount namespace. See mount_namespaces(7). */
export const CLONE_NEWNS = 0x20000;
/** The undo values of System V semaphores: the child shares them, and unshare(2) drops them. */
export const CLONE_SYSVSEM = 0x40000;
/** Sets the child's thread-local storage. */
export const CLONE_SETTLS = 0x80000;
/** The child's pid is stored in memory of the parent. */
export const CLONE_PARENT_SETTID = 0x100000;
/** The child's pid is cleared in memory of the child when it ends. */
export const CLONE_CHILD_CLEARTID = 0x200000;
/** A tracer cannot force `CLONE_PTRACE` on the child. */
export const CLONE_UNTRACED = 0x800000;
/** The child's pid is stored in memory of the child. */
export const CLONE_CHILD_SETTID = 0x1000000;
/** A new cgroup namespace. See cgroup_namespaces(7). */
export const CLONE_NEWCGROUP = 0x2000000;
/** A new namespace of the hostname and the domain name. See uts_namespaces(7). */
export const CLONE_NEWUTS = 0x4000000;
/** A new ipc namespace. See ipc_namespaces(7). */
export const CLONE_NEWIPC = 0x8000000;
/** A new user namespace. See user_namespaces(7). */
export const CLONE_NEWUSER = 0x10000000;
/** A new pid namespace, for future children. See pid_namespaces(7). */
export const CLONE_NEWPID = 0x20000000;
/** A new network namespace. See network_namespaces(7). */
export const CLONE_NEWNET = 0x40000000;
/** The child shares the I/O context. */
export const CLONE_IO = 0x80000000;
