/**
 * What engines do to every container, by which a step is said that asks for just that.
 *
 * @module
 */

import { DEVICES } from "../oci/config/devices.ts";
import type { MknodStep } from "../recipe/steps/files.ts";
import type { MountStep } from "../recipe/steps/mounts.ts";
import type { ContainerDraft } from "./container_draft.ts";

/** The paths that containerd, CRI-O and podman hide from every program. */
export const HIDDEN: ReadonlySet<string> = new Set([
  "/proc/acpi",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/firmware",
]);

/** The paths that nobody can write to. */
export const UNWRITABLE: ReadonlySet<string> = new Set([
  "/proc/asound",
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
]);

/** Where the filesystems of the kernel are mounted. */
export const KERNEL_FILESYSTEMS = { proc: "/proc", sysfs: "/sys", mqueue: "/dev/mqueue" } as const;

/** Whether a mount is that of the control groups, which every container sees. */
export function isUsualMount(
  { target, type, options = "" }: MountStep,
  draft: ContainerDraft,
): boolean {
  return type.startsWith("cgroup") && options.split(",").includes("ro") &&
    draft.inside(target) === "/sys/fs/cgroup";
}

/** Whether a device at this path of the container is one that every container has there. */
export function isUsualDevice(inside: string, { type, major, minor }: MknodStep): boolean {
  return DEVICES.some((device) =>
    device.path === inside && device.type === type && device.major === major &&
    device.minor === minor
  );
}
