/**
 * System calls of Linux under the kernel's names, made at once in the calling thread: typed, with
 * the exact errno, and with nothing but `--allow-ffi`, which the first call asks for.
 *
 * They move or change the thread that JavaScript runs on. Deno has more threads, which stay as
 * they are; make such calls in a `Worker`, which has a thread of its own, or let a recipe make them
 * in a process of its own.
 *
 * @example The mode of a directory, by its descriptor
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using directory = linux.open("/proc", linux.O_PATH | linux.O_DIRECTORY | linux.O_CLOEXEC);
 * const { mode } = linux.statx(directory, "", linux.AT_EMPTY_PATH, linux.STATX_MODE);
 * console.log((mode & 0o777).toString(8)); // 555
 * ```
 *
 * @module
 */

export * from "../calls/constants/at.ts";
export * from "../calls/constants/capabilities.ts";
export * from "../calls/constants/files.ts";
export * from "../calls/constants/limits.ts";
export * from "../calls/constants/mount_descriptors.ts";
export * from "../calls/constants/mounts.ts";
export * from "../calls/constants/namespaces.ts";
export * from "../calls/constants/open.ts";
export * from "../calls/constants/prctl.ts";
export * from "../calls/constants/shared_memory.ts";
export * from "../calls/constants/signals.ts";
export * from "../calls/constants/statx.ts";
export * from "../calls/constants/waiting.ts";
export type { OpenHow } from "../calls/files.ts";
export type { Rlimit } from "../calls/limits.ts";
export type { MountAttributes } from "../calls/mounts.ts";
export type { Utsname } from "../calls/namespaces.ts";
export type { FilesystemState } from "../calls/statfs.ts";
export type { Statx } from "../calls/statx.ts";
export type { CapabilityState } from "../calls/users.ts";
export type { ChildState } from "../calls/waiting.ts";
export type { InterfaceAddress } from "../netlink/address.ts";
export type { Link } from "../netlink/link.ts";
export type { Route } from "../netlink/route.ts";
export * from "./files.ts";
export * from "./directories.ts";
export * from "./message_queues.ts";
export * from "./mount_descriptors.ts";
export * from "./mounts.ts";
export * from "./namespaces.ts";
export * from "./network.ts";
export * from "./owned_fd.ts";
export * from "./prctl.ts";
export { type ProcessIdentity, processIdentity } from "../proc/process_identity.ts";
export { type NamespaceIds, type NamespaceName, namespaces } from "../proc/process_namespaces.ts";
export * from "./processes.ts";
export * from "./shared_memory.ts";
export * from "./users.ts";
