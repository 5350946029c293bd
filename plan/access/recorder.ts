/**
 * Records what the steps of a recipe access on the host, while they are lowered. Every plan is
 * recorded: permissions are compared with the result later, and change no call.
 *
 * After the recipe has entered a root of its own, only its binds can be accessed, which are
 * recorded before.
 *
 * @module
 */

import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_RDONLY,
  MS_RDONLY,
} from "../../ffi/calls/constants/mounts.ts";
import { kernelMountAround, kernelMountsIn } from "../../host/kernel_mounts.ts";
import { parseMountOptions } from "../../recipe/mount_options.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import type { IdRange } from "../../recipe/steps/id_range.ts";
import { copyFields } from "../copy_fields.ts";
import { touches } from "../mount_table.ts";
import type { PlannedState } from "../planned_state.ts";
import type { StepCursor } from "../step_cursor.ts";
import type { HostAccess, HostAccessKind } from "./access.ts";
import { HostPaths, type HostPlace, type PathHost } from "./host_paths.ts";
import { KernelFiles } from "./kernel_files.ts";
import { SettledPaths } from "./settled_paths.ts";

/** An access that may depend on later steps. */
export interface RecordedAccess {
  readonly access: HostAccess;
  /**
   * For writing to a read-only mount: the number of user namespaces that had been entered when it
   * was made. CAP_SYS_ADMIN in that user namespace suffices to make the mount writable; in a nested
   * one the mount is locked (mount_namespaces(7)).
   */
  readonly locksWith?: number;
}

/** The restrictions of a bind mount. */
export interface BindAccess {
  readonly readOnly?: boolean | undefined;
  /** Whether device files cannot be opened there: `nodev`. */
  readonly noDevices?: boolean | undefined;
}

/** The namespaces and the root of an init. */
export interface InitPlace {
  /** The number of user namespaces that had been entered. */
  readonly userNamespaces: number;
  /** The kinds of its namespaces that are not the host's. */
  readonly unshared: ReadonlySet<NamespaceKind>;
  /** Whether it is in a session of its own, without the script's terminal. */
  readonly ownSession: boolean;
  /** Whether its root stays the host's. */
  seesHost: boolean;
}

/** The id maps of a user namespace. */
export interface IdMaps {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** The arguments of mount(2) for a new filesystem. */
export interface FilesystemAccess {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options?: string;
}

/** The types of filesystems that contain no files of the host. */
const HARMLESS_TYPES: ReadonlySet<string> = new Set([
  "tmpfs",
  "ramfs",
  "proc",
  "sysfs",
  "mqueue",
  "devpts",
]);

/** Where the host has its own filesystems of the kernel. */
const USUAL = ["/dev", "/proc", "/sys"];

/** The kinds of namespaces that filesystems of the kernel show. */
const SHOWN: Readonly<Record<string, NamespaceKind>> = { proc: "pid", sysfs: "net", mqueue: "ipc" };

/** The devices that need no permission. */
const HARMLESS: ReadonlySet<string> = new Set(
  ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`),
);

/** Records the accesses of the steps. */
export class AccessRecorder {
  /** The container as the steps so far have made it. */
  readonly state: PlannedState;
  readonly recorded: RecordedAccess[] = [];
  /** The root of the program: its own, or the host's, which that of chroot(2) is as well. */
  root: "host" | "own" = "host";
  /** The init, if there is one: the program may be able to control it. */
  init: InitPlace | undefined;
  /** Whether a step may make read-only mounts writable. */
  makesWritable = false;
  /** Whether a step may make the devices of a mount work. */
  allowsDevices = false;
  /**
   * Whether mounts that the host makes later appear in the container. They are not restricted as
   * the bind is that they are made in (mount_namespaces(7)).
   */
  receivesMounts = false;
  /** Whether the host's root has an id in the user namespace. */
  mapsRoot = true;
  /** Whether a filter denies the calls that no namespace holds. */
  filtered = false;
  /** Whether a filter denies all unix sockets that can be connected. */
  deniesSockets = false;
  /** Set by a step after which the container need not end with the script. */
  lifetime: HostAccess | undefined;
  /** The files by which root can change the machine. */
  readonly kernelFiles: KernelFiles = new KernelFiles();
  /** Whether a chroot(2) of the recipe can be left, and with it each later root. */
  #isOpen = false;
  readonly #cursor: StepCursor;
  readonly #paths: HostPaths;
  readonly #settled: SettledPaths;
  readonly #host: PathHost;
  /** The later roots that files of the host may have been looked up in. */
  readonly #lookedUp = new Set<string>();
  /** The directories that are shown with what is mounted below them, and the steps. */
  readonly #trees: {
    readonly directory: string;
    readonly stepIndex: number;
    readonly step: string;
  }[] = [];

  /** @param begun what the first steps have accessed */
  constructor(
    cursor: StepCursor,
    state: PlannedState,
    host: PathHost,
    begun?: AccessRecorder,
  ) {
    if (begun !== undefined) {
      copyFields(begun, this);
      this.init = begun.init && { ...begun.init };
      this.kernelFiles = begun.kernelFiles.fork();
      this.#isOpen = begun.#isOpen;
      this.#lookedUp = new Set(begun.#lookedUp);
      this.#trees = [...begun.#trees];
    }
    this.#cursor = cursor;
    this.state = state;
    this.#host = host;
    this.#paths = new HostPaths(cursor, state.mounts, host);
    this.#settled = new SettledPaths(cursor, state.mounts, host, begun && begun.#settled);
  }

  /** See {@linkcode HostPaths.hostSource}. */
  hostSource(source: string): string | undefined {
    return this.#paths.hostSource(source);
  }

  /** See {@linkcode HostPaths.hostRootAround}. */
  hostRootAround(path: string): string | undefined {
    return this.#paths.hostRootAround(path);
  }

  /** Records a lookup in a later root, which may lead to any file of the host there. */
  recordLookup(path: string): void {
    const root = this.#paths.hostRootAround(path);
    if (root === undefined || this.#lookedUp.has(root)) return;
    this.#lookedUp.add(root);
    const { path: place } = this.#paths.placeOf(root);
    this.record({ kind: "read", path: place });
    this.record({ kind: "write", path: place });
  }

  /** Whether the host has a file with this path. */
  exists(path: string): boolean {
    return this.#host.resolve(path).type !== undefined;
  }

  /** The file of the host that the source of a bind is, or may be. */
  hostPlace(source: string): HostPlace | undefined {
    const path = this.#paths.hostSource(source);
    if (path === undefined || !this.#paths.mayBeHostFile(path)) return undefined;
    return this.#paths.placeOf(path);
  }

  /** Records an access of the current step. */
  record(access: HostAccessKind, locksWith?: number): void {
    const whole = this.#ofStep(access);
    this.recorded.push({ access: whole, ...(locksWith !== undefined && { locksWith }) });
  }

  #ofStep(access: HostAccessKind): HostAccess {
    const { index } = this.#cursor;
    return { ...access, stepIndex: index, step: this.#cursor.nameOf(index) };
  }

  /** Records a variable of the script's environment that a step passes on. */
  recordVariable(name: string): void {
    this.record({ kind: "env", name });
  }

  /** Records that a step reads a path. */
  recordRead(path: string): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    this.record({ kind: "read", path: this.#paths.placeOf(path).path });
  }

  /** Records a lower directory of an overlay. */
  recordLowerDirectory(path: string): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    const { path: place } = this.#paths.placeOf(path);
    this.record({ kind: "read", path: place });
    // An overlay of a user namespace has no devices (SB_I_NODEV of linux/fs.h).
    if (touches(place, "/dev")) this.record({ kind: "device", path: "/dev" });
    else if (!this.state.inUserNamespace) this.record({ kind: "device", path: place });
    if (touches(place, "/proc")) this.record({ kind: "namespace", namespace: "pid" });
  }

  /** Records that a step makes or changes a path. */
  recordWrite(path: string): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    this.record({ kind: "write", path: this.#paths.placeOf(path).path });
  }

  /** Records a bind mount of a path. */
  recordBind(path: string, { readOnly, noDevices }: BindAccess): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    const { path: place, type } = this.#paths.placeOf(path);
    const harmless = HARMLESS.has(place);
    if (!harmless) this.record({ kind: "read", path: place });
    // Root owns the harmless devices, and can change their modes for all programs.
    if (!harmless || this.state.caller.euid === 0) {
      // A read-only mount keeps no program from connecting to a socket or writing to a pipe.
      const locks = readOnly === true && !this.receivesMounts && type !== "socket" &&
        type !== "pipe";
      this.record(
        { kind: "write", path: place },
        locks ? this.state.capabilities.userNamespaces : undefined,
      );
    }
    // Nor does it keep one from writing to a device.
    if (!harmless && type !== "file" && type !== "socket" && type !== "pipe") {
      const locks = noDevices === true && !this.receivesMounts;
      this.record(
        { kind: "device", path: type !== "device" && touches(place, "/dev") ? "/dev" : place },
        locks ? this.state.capabilities.userNamespaces : undefined,
      );
    }
    if (touches(place, "/proc")) this.record({ kind: "namespace", namespace: "pid" });
  }

  /**
   * Records that a directory is shown with all that is mounted below it.
   *
   * @param isCovered whether filesystems of the kernel there are covered
   */
  recordTree(path: string, isCovered = false): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    const { index: stepIndex } = this.#cursor;
    const step = this.#cursor.nameOf(stepIndex);
    // What covers them could be unmounted.
    if (isCovered && !this.#cursor.includes("unmount")) return;
    this.#trees.push({ directory: this.#paths.placeOf(path).path, stepIndex, step });
  }

  /**
   * The filesystems of the kernel that are mounted below such directories: the machine can be seen and
   * changed by them. Those of the host itself are needs by their paths.
   */
  get kernelMounts(): readonly HostAccess[] {
    if (this.#trees.length === 0) return [];
    const { mounts } = this.#host;
    return this.#trees.flatMap(({ directory, ...step }) =>
      [...kernelMountsIn(directory, mounts), ...kernelMountAround(directory, mounts)]
        .filter((path) => !USUAL.some((usual) => isWithin(path, usual)))
        .map((path): HostAccess => ({ kind: "device", path, ...step }))
    );
  }

  /** Records that a path is shown at another one as well, and what the recipe mounts there. */
  recordCopy(path: string): void {
    if (this.#paths.mayBeHostFile(path)) {
      return this.kernelFiles.copied(this.#paths.placeOf(path).path);
    }
    this.kernelFiles.copied(this.#settled.of(path));
  }

  /** Records a symbolic link that a step makes. */
  recordLink(path: string): void {
    this.#settled.linked(path);
  }

  /** Records that a step mounts something, before the mount table has it. */
  recordMountPoint(target: string): void {
    this.#settled.mounted(target);
  }

  /** Records a mount of a new filesystem. */
  recordFilesystem({ source, target, type, options }: FilesystemAccess): void {
    const readOnly = (parseMountOptions(options).flags & MS_RDONLY) !== 0;
    const { index: stepIndex } = this.#cursor;
    const place = this.#settled.of(target);
    this.kernelFiles.mounted({
      target: place ?? target,
      type,
      step: this.#cursor.nameOf(stepIndex),
      stepIndex,
      copied: place === undefined,
      onHost: place !== undefined && this.state.mounts.isHostFile(place) &&
        !this.#cursor.includes("propagation"),
      ...(readOnly && { readOnlyIn: this.state.capabilities.userNamespaces }),
    });
    // It shows the namespace that the process is in now, whichever the program is in later.
    const shown = SHOWN[type];
    if (shown !== undefined && !this.state.unshared.has(shown)) {
      this.record({ kind: "namespace", namespace: shown });
    }
    if (HARMLESS_TYPES.has(type)) return;
    // The directories of an overlay are in its options, where the kernel follows symbolic links.
    if (type === "overlay") return this.recordAll();
    if (type === "cgroup" || type === "cgroup2") {
      // The root of a new cgroup namespace is the script's own group: whoever writes there can
      // freeze or kill it, or lift the limits of the container's (cgroup_namespaces(7)).
      const locks = readOnly && this.state.unshared.has("cgroup");
      return this.record(
        { kind: "namespace", namespace: "cgroup" },
        locks ? this.state.capabilities.userNamespaces : undefined,
      );
    }
    this.record({ kind: "device", path: source });
  }

  /** Records that a step lifts restrictions of a mount, by the attributes that it clears. */
  recordRemount(cleared: number): void {
    if ((cleared & MOUNT_ATTR_RDONLY) !== 0) this.makesWritable = true;
    if ((cleared & MOUNT_ATTR_NODEV) !== 0) this.allowsDevices = true;
  }

  /** Returns the place that a path certainly leads to, if it is known. */
  settledPlace(path: string): string | undefined {
    return this.#settled.of(path);
  }

  /** Records that a step makes a place read-only, or hides it. */
  recordGuard(place: string | undefined): void {
    if (place !== undefined) this.kernelFiles.guard(place, this.state.capabilities.userNamespaces);
  }

  /** Records that a step makes a directory the root. */
  recordRoot(path: string, by: "pivotRoot" | "chroot", noDevices = false): void {
    const directory = normalize(path);
    if (directory === "/") return;
    if (by === "chroot" || !this.state.mounts.isMountPoint(directory)) {
      this.recordBind(path, { noDevices });
      this.recordTree(path);
    }
    // Unlike pivot_root(2), chroot(2) leaves the root of the init as it is.
    if (by === "chroot" && this.init !== undefined && this.root !== "own") {
      this.init.seesHost = true;
    }
    this.root = this.#rootAfter(by);
    this.kernelFiles.enter(this.#settled.of(directory));
    this.#settled.entered(directory);
  }

  /**
   * A directory that is no mount can be moved out of the root by another mount of its filesystem,
   * with a process in it: that finds the host's files by `..`. Whether it is one cannot be told by
   * its path, as links and other mounts may lead elsewhere.
   */
  #rootAfter(by: "pivotRoot" | "chroot"): AccessRecorder["root"] {
    this.#isOpen ||= by === "chroot" && this.root !== "own";
    return this.#isOpen ? "host" : "own";
  }

  /** Records that a process stays as the init, in the present namespaces. */
  recordInit(): void {
    this.init = {
      userNamespaces: this.state.capabilities.userNamespaces,
      unshared: new Set(this.state.unshared),
      ownSession: this.state.ownSession,
      seesHost: false,
    };
  }

  /** Records whether the container is killed when the script ends; other signals can be survived. */
  recordDeath(isKilled: boolean): void {
    this.lifetime = isKilled ? undefined : this.#ofStep({ kind: "lifetime" });
  }

  /** Records a step that raises a limit, or may, which takes root of the host. */
  recordHigherLimit(): void {
    const { caller, inUserNamespace } = this.state;
    if (caller.euid !== 0 || inUserNamespace) return;
    this.record({ kind: "privilege", privilege: "CAP_SYS_RESOURCE" });
  }

  /** Records a step by which the program comes before others, which takes root of the host. */
  recordPriority(): void {
    this.record({ kind: "privilege", privilege: "CAP_SYS_NICE" });
  }

  /** Records that files of the host are made as those of other owners. */
  recordOwners(): void {
    this.record({ kind: "privilege", privilege: "CAP_CHOWN" });
  }

  /** Records that what is mounted in the container appears outside. */
  recordOuterMounts(): void {
    this.record({ kind: "privilege", privilege: "CAP_SYS_ADMIN" });
  }

  /** Records a new mount namespace, which an earlier init is not in. */
  recordMountNamespace(receivesMounts: boolean): void {
    this.receivesMounts = receivesMounts;
    if (this.init !== undefined && this.root !== "own") this.init.seesHost = true;
  }

  /** Records that a step changes the host's network. */
  recordNetworkChange(): void {
    this.record({ kind: "net", host: "*" });
    this.record({ kind: "privilege", privilege: "CAP_NET_ADMIN" });
  }

  /** Records that a step changes the ids of the process. */
  recordIds(
    ids: { uid: number; gid: number; groups?: readonly number[] | undefined },
  ): void {
    if (this.state.inUserNamespace) return;
    this.#recordIdentity("uid", ids.uid, 1);
    for (const gid of [ids.gid, ...(ids.groups ?? [])]) this.#recordIdentity("gid", gid, 1);
  }

  /** Records the id maps of the first user namespace; those of nested ones are within it. */
  recordIdMaps({ uids, gids }: IdMaps): void {
    if (this.state.capabilities.userNamespaces !== 1) return;
    this.mapsRoot = uids.some(({ outside }) => outside === 0);
    for (const { outside, count } of uids) this.#recordIdentity("uid", outside, count);
    for (const { outside, count } of gids) this.#recordIdentity("gid", outside, count);
  }

  #recordIdentity(id: "uid" | "gid", from: number, count: number): void {
    const own = id === "uid" ? this.state.caller.euid : this.state.caller.egid;
    if (count === 1 && from === own) return;
    this.record({ kind: "identity", id, from, count });
  }

  /** Records access to all files of the host, for a step whose accesses cannot be computed. */
  recordAll(): void {
    this.kernelFiles.copied();
    if (!this.state.mounts.atHostRoot) return;
    this.record({ kind: "read", path: "/" });
    this.record({ kind: "write", path: "/" });
  }
}
