/**
 * What engines do to every container, by which a step is said that asks for just that.
 *
 * @module
 */

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
