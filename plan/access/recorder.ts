/**
 * What the steps of a recipe reach of the host, recorded while they are lowered. It is recorded for
 * every plan: what is granted is compared with it later, and changes no call.
 *
 * Once the recipe has entered a root of its own, only what it has bound is left to be reached, and
 * that is recorded already.
 *
 * @module
 */

import { MS_RDONLY } from "../../ffi/calls/constants/mounts.ts";
import { parseMountOptions } from "../../recipe/mount_options.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";
import { normalize } from "../../recipe/path.ts";
import type { IdRange } from "../../recipe/steps/id_range.ts";
import { touches } from "../mount_table.ts";
import type { PlannedState } from "../planned_state.ts";
import type { StepCursor } from "../step_cursor.ts";
import type { HostAccess, HostAccessKind } from "./access.ts";
import { HostPaths, type PathHost } from "./host_paths.ts";
import { KernelFiles } from "./kernel_files.ts";

/** An access, with what it depends on that later steps decide. */
export interface RecordedAccess {
  readonly access: HostAccess;
  /**
   * For a mount that can only be read: how many user namespaces had been entered. A program with
   * CAP_SYS_ADMIN in the user namespace that it belongs to can make it writable; in those that are
   * entered later, or without CAP_SYS_ADMIN, it cannot (mount_namespaces(7)).
   */
  readonly locksWith?: number;
}

/** How files of the host are shown. */
export interface BindAccess {
  readonly readOnly?: boolean | undefined;
  /** Whether device files do not work there. */
  readonly noDevices?: boolean | undefined;
}

/** What an init is in. */
export interface InitPlace {
  /** How many user namespaces had been entered. */
  readonly userNamespaces: number;
  /** The kinds of namespaces that were not the host's. */
  readonly unshared: ReadonlySet<NamespaceKind>;
  /** Whether its root is the host's, and stays so. */
  seesHost: boolean;
}

/** The id maps of a user namespace. */
export interface IdMaps {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** A new filesystem. */
export interface FilesystemAccess {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options?: string;
}

/** The types of filesystems that show nothing of the host's files. */
const HARMLESS_TYPES: ReadonlySet<string> = new Set([
  "tmpfs",
  "ramfs",
  "proc",
  "sysfs",
  "mqueue",
  "devpts",
]);

/** The devices that every program may have. */
const HARMLESS: ReadonlySet<string> = new Set(
  ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`),
);

/** Records what is reached. */
export class AccessRecorder {
  /** What the steps have made of the container. */
  readonly state: PlannedState;
  readonly recorded: RecordedAccess[] = [];
  /** The root of the program: the host's, one by chroot(2) (weak), or its own. */
  root: "host" | "chroot" | "own" = "host";
  /** Where an init has stayed behind, which a program may get hold of. */
  init: InitPlace | undefined;
  /** Whether a step may make mounts writable that could only be read. */
  remounts = false;
  /** Whether the host's root has an id in the user namespace. */
  mapsRoot = true;
  /** The files by which root changes the machine. */
  readonly kernelFiles: KernelFiles = new KernelFiles();
  readonly #cursor: StepCursor;
  readonly #paths: HostPaths;

  /** Records what these steps reach, as they make this of the container. */
  constructor(
    cursor: StepCursor,
    state: PlannedState,
    host: PathHost,
  ) {
    this.#cursor = cursor;
    this.state = state;
    this.#paths = new HostPaths(cursor, state.mounts, host);
  }

  /** A source as a path of the host's; `undefined` where it is the container's. */
  hostSource(source: string): string | undefined {
    return this.#paths.hostSource(source);
  }

  /** Whether links lead a path of the host out of the root to come that it lies in. */
  leavesRoot(path: string): boolean {
    return this.#paths.leavesRoot(path);
  }

  /** Records an access of the current step. */
  record(access: HostAccessKind, locksWith?: number): void {
    const { index } = this.#cursor;
    const whole: HostAccess = { ...access, stepIndex: index, step: this.#cursor.nameOf(index) };
    this.recorded.push({ access: whole, ...(locksWith !== undefined && { locksWith }) });
  }

  /** A step hands a variable of the script's environment on. */
  recordVariable(name: string): void {
    this.record({ kind: "env", name });
  }

  /** A step reads a path. */
  recordRead(path: string): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    this.record({ kind: "read", path: this.#paths.placeOf(path).path });
  }

  /** A step lays a directory below others. */
  recordLowerDirectory(path: string): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    const { path: place } = this.#paths.placeOf(path);
    this.record({ kind: "read", path: place });
    if (touches(place, "/dev")) this.record({ kind: "device", path: "/dev" });
    if (touches(place, "/proc")) this.record({ kind: "namespace", namespace: "pid" });
  }

  /** A step makes or changes a path. */
  recordWrite(path: string): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    this.record({ kind: "write", path: this.#paths.placeOf(path).path });
  }

  /** A step shows a path in the container. */
  recordBind(path: string, { readOnly, noDevices }: BindAccess): void {
    if (!this.#paths.mayBeHostFile(path)) return;
    const { path: place, type } = this.#paths.placeOf(path);
    if (!HARMLESS.has(place)) {
      this.record({ kind: "read", path: place });
      // A socket or a pipe that can be opened connects with what is behind it, read-only or not.
      const locks = readOnly === true && type !== "socket" && type !== "pipe";
      this.record(
        { kind: "write", path: place },
        locks ? this.state.capabilities.userNamespaces : undefined,
      );
      if (noDevices !== true && (type === "device" || touches(place, "/dev"))) {
        this.record({ kind: "device", path: type === "device" ? place : "/dev" });
      }
    }
    if (touches(place, "/proc")) this.record({ kind: "namespace", namespace: "pid" });
  }

  /** A step mounts a new filesystem. */
  recordFilesystem({ source, target, type, options }: FilesystemAccess): void {
    if ((parseMountOptions(options).flags & MS_RDONLY) === 0) {
      const { index: stepIndex } = this.#cursor;
      this.kernelFiles.mounted({ target, type, step: this.#cursor.nameOf(stepIndex), stepIndex });
    }
    if (HARMLESS_TYPES.has(type)) return;
    // What it lays over one another is in its options, and the kernel follows links there.
    if (type === "overlay") return this.recordAll();
    if (type === "cgroup" || type === "cgroup2") {
      if (!this.state.unshared.has("cgroup")) {
        this.record({ kind: "namespace", namespace: "cgroup" });
      }
      return;
    }
    this.record({ kind: "device", path: source });
  }

  /** A step gives a mount other options. */
  recordRemount(flags: number): void {
    if ((flags & MS_RDONLY) === 0) this.remounts = true;
  }

  /** A step keeps a path from being changed. */
  recordGuard(path: string): void {
    this.kernelFiles.guard(path, this.state.capabilities.userNamespaces);
  }

  /** A step makes a directory the root. */
  recordRoot(path: string, by: "pivotRoot" | "chroot"): void {
    const directory = normalize(path);
    if (directory === "/") return;
    if (by === "chroot" || !this.state.mounts.isMountPoint(directory)) this.recordBind(path, {});
    // With pivot_root(2) the root of an init changes too.
    if (by === "chroot" && this.init !== undefined && this.root !== "own") {
      this.init.seesHost = true;
    }
    if (this.root === "host") this.root = by === "chroot" ? "chroot" : "own";
    this.kernelFiles.enter(directory);
  }

  /** The process goes on as the init, in the namespaces that the container has by now. */
  recordInit(): void {
    this.init = {
      userNamespaces: this.state.capabilities.userNamespaces,
      unshared: new Set(this.state.unshared),
      seesHost: false,
    };
  }

  /** A step has made a mount namespace: an init stays in the one before. */
  recordMountNamespace(): void {
    if (this.init !== undefined && this.root !== "own") this.init.seesHost = true;
  }

  /** A step changes the host's network. */
  recordNetworkChange(): void {
    this.record({ kind: "net", host: "*" });
    this.record({ kind: "privilege", privilege: "CAP_NET_ADMIN" });
  }

  /** A step changes the ids of the process. */
  recordIds(
    ids: { uid: number; gid: number; groups?: readonly number[] | undefined },
  ): void {
    if (this.state.inUserNamespace) return;
    this.#recordIdentity("uid", ids.uid, 1);
    for (const gid of [ids.gid, ...(ids.groups ?? [])]) this.#recordIdentity("gid", gid, 1);
  }

  /** A step maps ids into the first user namespace. */
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

  /** A step may reach anything of the host: the steps alone do not say what. */
  recordAll(): void {
    if (!this.state.mounts.atHostRoot) return;
    this.record({ kind: "read", path: "/" });
    this.record({ kind: "write", path: "/" });
  }
}
