/**
 * System calls of Linux under the kernel's names, made at once in the calling thread: typed, with
 * the exact errno, and with nothing but `--allow-ffi`, which the first call asks for.
 *
 * They move or change the thread that JavaScript runs on. Deno has more threads, which stay as
 * they are; do such things in a `Worker`, which has a thread of its own, or let a recipe do them in
 * a process of its own.
 *
 * @example The mode of a folder, by its descriptor
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * using folder = linux.open("/proc", linux.O_PATH | linux.O_DIRECTORY | linux.O_CLOEXEC);
 * const { mode } = linux.statx(folder, "", linux.AT_EMPTY_PATH, linux.STATX_MODE);
 * console.log((mode & 0o777).toString(8)); // 555
 * ```
 *
 * @module
 */

export * from "./calls/constants/at.ts";
export * from "./calls/constants/capabilities.ts";
export * from "./calls/constants/files.ts";
export * from "./calls/constants/limits.ts";
export * from "./calls/constants/mount_descriptors.ts";
export * from "./calls/constants/mounts.ts";
export * from "./calls/constants/namespaces.ts";
export * from "./calls/constants/open.ts";
export * from "./calls/constants/prctl.ts";
export * from "./calls/constants/shared_memory.ts";
export * from "./calls/constants/signals.ts";
export * from "./calls/constants/statx.ts";
export * from "./calls/constants/waiting.ts";
export type { OpenHow } from "./calls/files.ts";
export type { Rlimit } from "./calls/limits.ts";
export type { MountAttributes } from "./calls/mounts.ts";
export type { Utsname } from "./calls/namespaces.ts";
export type { FilesystemState } from "./calls/statfs.ts";
export type { Statx } from "./calls/statx.ts";
export type { CapabilityState } from "./calls/users.ts";
export type { ChildState } from "./calls/waiting.ts";
export type { InterfaceAddress } from "./netlink/address.ts";
export type { Link } from "./netlink/link.ts";
export type { Route } from "./netlink/route.ts";
export * from "./linux/files.ts";
export * from "./linux/folders.ts";
export * from "./linux/message_queues.ts";
export * from "./linux/mount_descriptors.ts";
export * from "./linux/mounts.ts";
export * from "./linux/namespaces.ts";
export * from "./linux/network.ts";
export * from "./linux/owned_fd.ts";
export * from "./linux/prctl.ts";
export { type ProcessIdentity, processIdentity } from "./linux/process_identity.ts";
export { type NamespaceFile, type NamespaceIds, namespaces } from "./linux/process_namespaces.ts";
export * from "./linux/processes.ts";
export * from "./linux/shared_memory.ts";
export * from "./linux/users.ts";
