/**
 * The flags of clone(2), unshare(2) and setns(2). See linux/sched.h.
 *
 * @module
 */

/** A time namespace, for children to come. See time_namespaces(7). */
export const CLONE_NEWTIME = 0x80;
/** The child shares the memory. */
export const CLONE_VM = 0x100;
/** Root, working directory and umask: shared by a child, or of one's own after unshare(2). */
export const CLONE_FS = 0x200;
/** The descriptors: shared by a child, or of one's own after unshare(2). */
export const CLONE_FILES = 0x400;
/** The child shares what signals do. */
export const CLONE_SIGHAND = 0x800;
/** A descriptor of the child is stored where its pid would be. */
export const CLONE_PIDFD = 0x1000;
/** A tracer traces the child as well. */
export const CLONE_PTRACE = 0x2000;
/** The parent waits until the child has ended or has become another program. */
export const CLONE_VFORK = 0x4000;
/** The child has the same parent as its maker. */
export const CLONE_PARENT = 0x8000;
/** The child is a thread of its maker. */
export const CLONE_THREAD = 0x10000;
/** A mount namespace. See mount_namespaces(7). */
export const CLONE_NEWNS = 0x20000;
/** The list of undone System V semaphores. */
export const CLONE_SYSVSEM = 0x40000;
/** Sets the child's thread-local storage. */
export const CLONE_SETTLS = 0x80000;
/** The child's pid is stored in the parent's memory. */
export const CLONE_PARENT_SETTID = 0x100000;
/** The child's pid is cleared in its memory when it ends. */
export const CLONE_CHILD_CLEARTID = 0x200000;
/** A tracer cannot demand to trace the child. */
export const CLONE_UNTRACED = 0x800000;
/** The child's pid is stored in its memory. */
export const CLONE_CHILD_SETTID = 0x1000000;
/** A cgroup namespace. See cgroup_namespaces(7). */
export const CLONE_NEWCGROUP = 0x2000000;
/** A namespace of the hostname and the domain name. See uts_namespaces(7). */
export const CLONE_NEWUTS = 0x4000000;
/** An ipc namespace. See ipc_namespaces(7). */
export const CLONE_NEWIPC = 0x8000000;
/** A user namespace. See user_namespaces(7). */
export const CLONE_NEWUSER = 0x10000000;
/** A pid namespace, for children to come. See pid_namespaces(7). */
export const CLONE_NEWPID = 0x20000000;
/** A network namespace. See network_namespaces(7). */
export const CLONE_NEWNET = 0x40000000;
/** The child shares the I/O context. */
export const CLONE_IO = 0x80000000;
