/**
 * The steps that mount filesystems: `mount`, `tmpfs`, `proc`, `sysfs` and `mqueue`, and those that
 * change what is mounted: `propagation`, `remount` and `unmount`. See mount(2) and mount(8).
 *
 * @module
 */

import {
  absolutePath,
  boolean,
  modeBits,
  oneOf,
  optional,
  type Schema,
  type Schemas,
  text,
  withDefault,
} from "../schema.ts";
import { mountOptions, parseMountOptions } from "../mount_options.ts";
import { quoted } from "../shown.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Mounts a filesystem of any type. */
export interface MountStep {
  /** The name of the step. */
  readonly step: "mount";
  /** The device, or any word for a filesystem without a device. */
  readonly source: string;
  /** The directory to mount on. */
  readonly target: string;
  /** The type, as /proc/filesystems lists them. */
  readonly type: string;
  /** Options as mount(8) takes them: `"ro,nosuid,size=10m"`. */
  readonly options?: string;
  /**
   * Whether a mount point that is missing is made, also where it is on the host's files and remains
   * there.
   */
  readonly make?: boolean;
}

/**
 * Mounts a filesystem of any type, with options as mount(8) takes them. A missing mount point is
 * created on filesystems that the recipe has mounted, and is an error elsewhere. Needs
 * `unshare("mount")` before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, onto `/`, or with
 * more than 4095 bytes of options
 * @throws {SyscallError} when it is run: `ENODEV` for a type that this kernel does not have,
 * `EPERM` for one that a user namespace may not mount, such as those of disks, `EINVAL` for an
 * option that the type does not support, `ENOENT` where the source or, on a filesystem of the
 * host's, the mount point does not exist, `ENOTDIR` where that is not a directory
 *
 * @example
 * ```ts
 * import { mapRoot, mount, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   mount("scratch", "/mnt", { type: "tmpfs", options: "nosuid,size=1m" }),
 * );
 * const { success } = await box.command("mountpoint", { args: ["/mnt"], stdout: "null" }).output();
 * console.log(success); // true
 * ```
 */
export function mount(
  source: string,
  target: string,
  options: Pick<MountStep, "type" | "options" | "make">,
): MountStep {
  return { step: "mount", source, target, ...options };
}

/** What the data of `mount` may be. */
export const mountSchema: StepSchema<MountStep> = stepSchema("mount", () => ({
  source: text(),
  target: absolutePath(),
  type: text({ min: 1 }),
  options: optional(mountOptions()),
  make: optional(boolean()),
}));

/** Mounts an empty filesystem in memory. */
export interface TmpfsStep extends TmpfsOptions {
  /** The name of the step. */
  readonly step: "tmpfs";
  /** The directory to mount on. */
  readonly target: string;
}

/** Options of {@linkcode tmpfs}. */
export interface TmpfsOptions {
  /**
   * Its size as tmpfs(5) takes it: in bytes, or with `k`, `m`, `g`, or `%` of memory.
   *
   * @default {"50%"}
   */
  readonly size?: string;
  /**
   * The mode of its root directory.
   *
   * @default {0o1777}
   */
  readonly mode?: number;
  /** Further options as mount(8) takes them: `"noexec,nr_inodes=1k"`. */
  readonly options?: string;
}

/**
 * Mounts an empty filesystem in memory, without device files and setuid programs. It ends with the
 * container. Needs `unshare("mount")` before it. See tmpfs(5).
 *
 * @throws {RecipeError} where `size` is not a number with a unit
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or onto `/`
 * @throws {SyscallError} when it is run: `ENOENT` where the mount point does not exist on a
 * filesystem of the host's, `ENOTDIR` where it is not a directory, `EINVAL` for an option that
 * tmpfs does not have
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/tmp", { size: "10m" }));
 * const { stdout } = await box.command("ls", { args: ["/tmp"] }).output();
 * console.log(stdout.length); // 0
 * ```
 */
export function tmpfs(target: string, options: TmpfsOptions = {}): TmpfsStep {
  return { step: "tmpfs", target, ...options };
}

/** What the data of `tmpfs` may be. */
export const tmpfsSchema: StepSchema<TmpfsStep> = stepSchema("tmpfs", () => ({
  target: absolutePath(),
  size: optional(tmpfsSize()),
  mode: optional(modeBits()),
  options: optional(mountOptions()),
}));

/** The size of a tmpfs: see tmpfs(5). Or one of these words. */
export function tmpfsSize(...words: readonly string[]): Schema {
  return text({
    expected: ["a size such as 64m", ...words.map((word) => `"${word}"`)].join(", or "),
    min: 1,
    issue: (size) => words.includes(size) ? undefined : sizeIssue(size),
  });
}

function sizeIssue(size: string): string | undefined {
  if (!/^\d+[kmgKMG%]?$/.test(size)) {
    return `${quoted(size)} is not a number of bytes, or one with "k", "m", "g" or "%" after it`;
  }
  const number = parseInt(size);
  if (number === 0) return "0 means no limit to the kernel";
  return number > Number.MAX_SAFE_INTEGER
    ? `${quoted(size)} is more than any machine has`
    : undefined;
}

/** Mounts /proc of the container's pid namespace. */
export interface ProcStep extends ProcOptions {
  /** The name of the step. */
  readonly step: "proc";
  /** The directory to mount on. */
  readonly target: string;
}

/** Options of {@linkcode proc}. */
export interface ProcOptions extends FilesystemOptions {
  /**
   * Whether the /proc outside is shown, read-only, in place of a new one. That is weaker: the program
   * sees the processes outside, their arguments, mounts and connections, and what /proc tells of the
   * machine. It is for containers in which parts of /proc are covered, as in those of Docker and
   * Kubernetes, as the kernel then mounts no other (`EPERM`). The pids in it are those outside.
   *
   * @default {false}
   */
  readonly outer?: boolean;
}

/** Options of {@linkcode sysfs} and {@linkcode mqueue}. */
export interface FilesystemOptions {
  /** Further options as mount(8) takes them: `"ro"`, `"hidepid=2"`. */
  readonly options?: string;
}

/**
 * Mounts /proc, which shows the processes of the container's pid namespace. Needs
 * `unshare("mount")` before it; an ordinary user needs `unshare("pid")` too, and a /proc outside
 * without mounts over parts of it. See proc(5).
 *
 * @throws {RecipeError} where `outer` has `options` beside it; when it is planned without
 * `unshare("mount")` before it, or with `outer` where a step has covered /proc
 * @throws {SyscallError} when it is run: `EPERM` in a user namespace without `unshare("pid")`, or
 * where mounts cover parts of the /proc outside, as in many containers, `ENOENT` where the mount
 * point does not exist on a filesystem of the host's, `ENOTDIR` where it is not a directory
 *
 * @example
 * ```ts
 * import { mapRoot, proc, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
 * const { stdout } = await box.command("sh", { args: ["-c", "echo /proc/[0-9]*"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // /proc/1
 * ```
 */
export function proc(target = "/proc", options: ProcOptions = {}): ProcStep {
  return { step: "proc", target, ...options };
}

/** What the data of `proc` may be. */
export const procSchema: StepSchema<ProcStep> = stepSchema(
  "proc",
  () => ({ ...kernelFilesystem("/proc")(), outer: optional(boolean()) }),
  ({ outer, options }) =>
    outer === true && options !== undefined
      ? '"options" are those of a new /proc, and "outer" shows the one that there is'
      : undefined,
);

/** Mounts /sys of the container's network namespace. */
export interface SysfsStep extends FilesystemOptions {
  /** The name of the step. */
  readonly step: "sysfs";
  /** The directory to mount on. */
  readonly target: string;
}

/**
 * Mounts /sys, which shows the interfaces of the container's network namespace. Needs
 * `unshare("mount")` before it; an ordinary user needs `unshare("net")` too. See sysfs(5).
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it
 * @throws {SyscallError} when it is run: `EPERM` in a user namespace without `unshare("net")`,
 * `ENOENT` where the mount point does not exist on a filesystem of the host's, `ENOTDIR` where it
 * is not a directory
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, sysfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount", "net"), mapRoot(), sysfs());
 * const { stdout } = await box.command("ls", { args: ["/sys/class/net"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // lo
 * ```
 */
export function sysfs(target = "/sys", options: FilesystemOptions = {}): SysfsStep {
  return { step: "sysfs", target, ...options };
}

/** What the data of `sysfs` may be. */
export const sysfsSchema: StepSchema<SysfsStep> = stepSchema("sysfs", kernelFilesystem("/sys"));

/** Mounts the POSIX message queues of the container's ipc namespace. */
export interface MqueueStep extends FilesystemOptions {
  /** The name of the step. */
  readonly step: "mqueue";
  /** The directory to mount on. */
  readonly target: string;
}

/**
 * Mounts the POSIX message queues of the container's ipc namespace. Needs `unshare("mount")`
 * before it; an ordinary user needs `unshare("ipc")` too. See mq_overview(7).
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it
 * @throws {SyscallError} when it is run: `EPERM` in a user namespace without `unshare("ipc")`,
 * `ENOENT` where the mount point does not exist on a filesystem of the host's, as /dev/mqueue on
 * some, `ENOTDIR` where it is not a directory
 *
 * @example
 * ```ts
 * import { mapRoot, mqueue, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount", "ipc"),
 *   mapRoot(),
 *   tmpfs("/mnt"),
 *   mqueue("/mnt/mqueue"),
 * );
 * const { success } = await box.command("touch", { args: ["/mnt/mqueue/a"] }).output();
 * console.log(success); // true
 * ```
 */
export function mqueue(target = "/dev/mqueue", options: FilesystemOptions = {}): MqueueStep {
  return { step: "mqueue", target, ...options };
}

/** What the data of `mqueue` may be. */
export const mqueueSchema: StepSchema<MqueueStep> = stepSchema(
  "mqueue",
  kernelFilesystem("/dev/mqueue"),
);

/** The fields of the steps that mount a filesystem of the kernel's own files. */
function kernelFilesystem(
  target: string,
): () => Schemas<FilesystemOptions & { readonly target: string }> {
  return () => ({ target: withDefault(absolutePath(), target), options: optional(mountOptions()) });
}

/** How mounts and unmounts propagate from and to a mount. */
export type Propagation = "private" | "shared" | "slave" | "unbindable";

/** All types. */
const PROPAGATIONS: readonly Propagation[] = ["private", "shared", "slave", "unbindable"];

/** Changes the propagation of a mount. */
export interface PropagationStep extends PropagationOptions {
  /** The name of the step. */
  readonly step: "propagation";
  /** The mount point. */
  readonly target: string;
  /** The new propagation type. */
  readonly type: Propagation;
}

/** Options of {@linkcode propagation}. */
export interface PropagationOptions {
  /** Whether the mounts below it change too. */
  readonly recursive?: boolean;
}

/**
 * Changes how mounts and unmounts propagate from and to a mount. Needs `unshare("mount")` before
 * it. See mount_namespaces(7).
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it
 * @throws {SyscallError} when it is run: `EINVAL` where nothing is mounted at the target, `ENOENT`
 * where it does not exist
 *
 * @example
 * ```ts
 * import { mapRoot, propagation, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   propagation("/", "shared", { recursive: true }),
 * );
 * console.log(box.plan().toString());
 * ```
 */
export function propagation(
  target: string,
  type: Propagation,
  options: PropagationOptions = {},
): PropagationStep {
  return { step: "propagation", target, type, ...options };
}

/** What the data of `propagation` may be. */
export const propagationSchema: StepSchema<PropagationStep> = stepSchema("propagation", () => ({
  target: absolutePath(),
  type: oneOf(PROPAGATIONS),
  recursive: optional(boolean()),
}));

/** Changes the options of a mount. */
export interface RemountStep {
  /** The name of the step. */
  readonly step: "remount";
  /** The mount point. */
  readonly target: string;
  /** The new options, as mount(8) takes them; an option that is left out is cleared. */
  readonly options: string;
  /**
   * Whether the options change for this mount only, or for the filesystem, wherever it is mounted.
   *
   * @default {true}
   */
  readonly bind?: boolean;
  /** Whether options that are left out stay as they are; only for this mount alone. */
  readonly keep?: boolean;
  /** Whether the mounts below it change too; only with `keep`. */
  readonly recursive?: boolean;
}

/**
 * Changes the options of a mount: `remount("/usr", "ro,nosuid")`. An ordinary user has to repeat
 * the options that the mount has outside, as they are locked (mount_namespaces(7)). Options that are
 * left out are cleared: with `permissions`, all that is shown is then to be granted for writing
 * without `ro`, and as devices without `nodev`. Needs `unshare("mount")` before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or with `bind:
 * false` for a filesystem of the host's
 * @throws {SyscallError} when it is run: `EINVAL` where nothing is mounted at the target, or an
 * option is not supported there, `ENOENT` where the target does not exist, `EPERM` where a
 * locked option is left out
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, remount, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   tmpfs("/mnt"),
 *   remount("/mnt", "ro,nosuid,nodev"),
 * );
 * const { success } = await box.command("touch", { args: ["/mnt/a"], stderr: "null" }).output();
 * console.log(success); // false
 * ```
 */
export function remount(
  target: string,
  options: string,
  more: Pick<RemountStep, "bind" | "keep" | "recursive"> = {},
): RemountStep {
  return { step: "remount", target, options, ...more };
}

/** What the data of `remount` may be. */
export const remountSchema: StepSchema<RemountStep> = stepSchema("remount", () => ({
  target: absolutePath(),
  options: mountOptions(),
  bind: optional(boolean()),
  keep: optional(boolean()),
  recursive: optional(boolean()),
}), ({ options, bind, keep, recursive }) => {
  const { data } = parseMountOptions(options);
  if (keep === true && bind === false) return '"keep" is for this mount alone, without "bind"';
  if (recursive === true && keep !== true) return '"recursive" needs "keep"';
  return data !== null && bind !== false
    ? `"${data}" is for the filesystem, not for this mount alone: { bind: false } sets it`
    : undefined;
});

/** Unmounts a filesystem. */
export interface UnmountStep extends UnmountOptions {
  /** The name of the step. */
  readonly step: "unmount";
  /** The mount point. */
  readonly target: string;
}

/** Options of {@linkcode unmount}. */
export interface UnmountOptions {
  /**
   * Whether it is unmounted at once with all mounts below it, even if it is in use (MNT_DETACH).
   */
  readonly detach?: boolean;
}

/**
 * Unmounts the topmost mount at a path. An ordinary user cannot unmount what was mounted outside
 * (mount_namespaces(7)). Needs `unshare("mount")` before it. See umount(2).
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it
 * @throws {SyscallError} when it is run: `EINVAL` where nothing is mounted at the target, or it was
 * mounted outside, `EBUSY` if it is in use and `detach` is not set, `ENOENT` where the target does
 * not exist
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, tmpfs, unmount, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), unmount("/mnt"));
 * console.log((await box.command("true").output()).success); // true
 * ```
 */
export function unmount(target: string, options: UnmountOptions = {}): UnmountStep {
  return { step: "unmount", target, ...options };
}

/** What the data of `unmount` may be. */
export const unmountSchema: StepSchema<UnmountStep> = stepSchema(
  "unmount",
  () => ({ target: absolutePath(), detach: optional(boolean()) }),
);
