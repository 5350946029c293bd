/**
 * What the steps of a recipe reach for of the host, noted while they are planned.
 *
 * A plan with a gate opens every path of the host without following a symbolic link, by the path
 * that was resolved when the recipe was planned: what is granted is then what is opened, whatever
 * becomes of the path in between. Once the recipe has entered a root of its own, only what it has
 * bound is left to be reached, and that is noted already.
 *
 * @module
 */

import { normalize } from "../../recipe/path.ts";
import { MS_RDONLY } from "../../ffi/calls/mounts.ts";
import type { PlannedState } from "../planned_state.ts";
import { parseMountOptions } from "../../recipe/mount_options.ts";
import type { StepCursor } from "../step_cursor.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";
import type { IdRange } from "../../recipe/steps/id_range.ts";
import { HostPaths, touches } from "./host_paths.ts";
import { KernelFiles } from "./kernel_files.ts";
import type { HostAccess, HostAccessKind } from "./access.ts";

/** A need, with what it depends on that later steps decide. */
export interface RecordedAccess {
  readonly need: HostAccess;
  /**
   * For a mount that can only be read: how many user namespaces had been entered. Who has
   * CAP_SYS_ADMIN in the user namespace that it belongs to can make it writable; those that are
   * entered later, or have no CAP_SYS_ADMIN, cannot (mount_namespaces(7)).
   */
  readonly locksWith?: number;
}

/** How files of the host are shown. */
export interface Showing {
  readonly readOnly?: boolean | undefined;
  /** Whether device files do not work there. */
  readonly noDevices?: boolean | undefined;
  /** Whether it may be missing. */
  readonly optional?: boolean | undefined;
}

/** What an init is in. */
export interface InitPlace {
  /** How many user namespaces had been entered. */
  readonly userNamespaces: number;
  /** The kinds of namespaces that were not the host's. */
  readonly own: ReadonlySet<NamespaceKind>;
  /** Whether its root is the host's, and stays so. */
  seesHost: boolean;
}

/** What a network has: the loopback interface, and on it the proxy of the script. */
export type RestrictedNetwork = "loopback" | "proxy";

/** What a gate is for, beside noting. */
export interface AccessOptions {
  /** What a network of the container's own is to have. */
  readonly network?: RestrictedNetwork | undefined;
}

/** Whom a step makes of whom. */
export interface IdMaps {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** A new filesystem. */
export interface Mounting {
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
const HARMLESS = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`);

/** Notes what is reached for. */
export class AccessRecorder {
  /** What the steps have made of the container. */
  readonly container: PlannedState;
  /** Where paths lead on the host. */
  readonly places: HostPaths;
  /** What a network of the container's own is to have. */
  readonly network: RestrictedNetwork | undefined;
  readonly noted: RecordedAccess[] = [];
  /** Whose root the program gets: the host's; a directory by chroot(2), which holds few in; its own. */
  root: "host" | "chroot" | "own" = "host";
  /** Where an init has stayed behind, which a program may get hold of. */
  init: InitPlace | undefined;
  /** Whether a step may make mounts writable that could only be read. */
  remounts = false;
  /** Whether the host's root has an id in the user namespace. */
  mapsRoot = true;
  /** The files by which root changes the machine. */
  readonly kernelFiles: KernelFiles = new KernelFiles();
  /** Variables that the steps take from the script's environment. */
  readonly variables: Set<string> = new Set();
  readonly #sequence: StepCursor;

  /** Notes what these steps reach for, as they make this of the container. */
  constructor(sequence: StepCursor, container: PlannedState, { network }: AccessOptions) {
    this.#sequence = sequence;
    this.container = container;
    this.places = new HostPaths(sequence, container.mounts);
    this.network = network;
  }

  /** Notes a need of the step that is writing. */
  note(need: HostAccessKind, locksWith?: number): void {
    const { index } = this.#sequence;
    const whole: HostAccess = { ...need, stepIndex: index, step: this.#sequence.nameOf(index) };
    this.noted.push({ need: whole, ...(locksWith !== undefined && { locksWith }) });
  }

  /** A step hands a variable of the script's environment on. */
  handsOn(variable: string): void {
    this.variables.add(variable);
    this.note({ kind: "env", name: variable });
  }

  /** A step reads a path. */
  reads(path: string): void {
    if (!this.places.mayBeHosts(path)) return;
    this.note({ kind: "read", path: this.places.placeOf(path).path });
  }

  /** A step lays a directory below others. */
  lays(path: string): void {
    if (!this.places.mayBeHosts(path)) return;
    const { path: place } = this.places.placeOf(path);
    this.note({ kind: "read", path: place });
    if (touches(place, "/dev")) this.note({ kind: "device", path: "/dev" });
    if (touches(place, "/proc")) this.note({ kind: "namespace", namespace: "pid" });
  }

  /** A step makes or changes a path. */
  changes(path: string): void {
    if (!this.places.mayBeHosts(path)) return;
    this.note({ kind: "write", path: this.places.placeOf(path).path });
  }

  /** A step shows a path in the container, unless it is missing and may be. */
  shows(
    path: string,
    { readOnly, noDevices, optional }: Showing,
  ): "shown" | "missing" {
    if (!this.places.mayBeHosts(path)) return "shown";
    const { path: place, type } = this.places.placeOf(path);
    if (type === undefined && optional === true) return "missing";
    if (!HARMLESS.includes(place)) {
      this.note({ kind: "read", path: place });
      // Who may open a socket or a pipe speaks with what is behind it, on a read-only mount too.
      const locks = readOnly === true && type !== "socket" && type !== "pipe";
      this.note(
        { kind: "write", path: place },
        locks ? this.container.capabilities.userNamespaces : undefined,
      );
      if (noDevices !== true && (type === "device" || touches(place, "/dev"))) {
        this.note({ kind: "device", path: type === "device" ? place : "/dev" });
      }
    }
    if (touches(place, "/proc")) this.note({ kind: "namespace", namespace: "pid" });
    return "shown";
  }

  /** A step mounts a new filesystem. */
  mounts({ source, target, type, options }: Mounting): void {
    if ((parseMountOptions(options).flags & MS_RDONLY) === 0) {
      const { index: stepIndex } = this.#sequence;
      this.kernelFiles.mounted({ target, type, step: this.#sequence.nameOf(stepIndex), stepIndex });
    }
    if (HARMLESS_TYPES.has(type)) return;
    // What it lays over one another is in its options, and the kernel follows links there.
    if (type === "overlay") return this.reachesAll();
    if (type === "cgroup" || type === "cgroup2") {
      if (!this.container.own.has("cgroup")) this.note({ kind: "namespace", namespace: "cgroup" });
      return;
    }
    this.note({ kind: "device", path: source });
  }

  /** A step gives a mount other options. */
  remountsWith(flags: number): void {
    if ((flags & MS_RDONLY) === 0) this.remounts = true;
  }

  /** A step keeps a path from being changed. */
  guards(path: string): void {
    this.kernelFiles.guard(path, this.container.capabilities.userNamespaces);
  }

  /** A step makes a directory the root. */
  enters(path: string, by: "pivotRoot" | "chroot"): void {
    const directory = normalize(path);
    if (directory === "/") return;
    const { mounts } = this.container;
    if (by === "chroot" || !mounts.isMountPoint(directory)) this.shows(path, {});
    // With pivot_root(2) the root of an init changes too.
    if (by === "chroot" && this.init !== undefined && this.root !== "own") {
      this.init.seesHost = true;
    }
    if (this.root === "host") this.root = by === "chroot" ? "chroot" : "own";
    this.kernelFiles.enter(directory);
  }

  /** The process goes on as the init, in the namespaces that the container has by now. */
  leavesInit(): void {
    this.init = {
      userNamespaces: this.container.capabilities.userNamespaces,
      own: new Set(this.container.own),
      seesHost: false,
    };
  }

  /** A step has made a mount namespace: an init stays in the one before. */
  entersMounts(): void {
    if (this.init !== undefined && this.root !== "own") this.init.seesHost = true;
  }

  /** A step changes the host's network. */
  changesNetwork(): void {
    this.note({ kind: "net", host: "*" });
    this.note({ kind: "privilege", privilege: "CAP_NET_ADMIN" });
  }

  /** A step becomes other ids. */
  becomes(
    ids: { uid: number; gid: number; groups?: readonly number[] | undefined },
  ): void {
    if (this.container.own.has("user")) return;
    this.#identify("uid", ids.uid, 1);
    for (const gid of [ids.gid, ...(ids.groups ?? [])]) this.#identify("gid", gid, 1);
  }

  /** A step maps ids into the first user namespace. */
  maps({ uids, gids }: IdMaps): void {
    if (this.container.capabilities.userNamespaces !== 1) return;
    this.mapsRoot = uids.some(({ outside }) => outside === 0);
    for (const { outside, count } of uids) this.#identify("uid", outside, count);
    for (const { outside, count } of gids) this.#identify("gid", outside, count);
  }

  #identify(id: "uid" | "gid", from: number, count: number): void {
    const own = id === "uid" ? this.container.caller.euid : this.container.caller.egid;
    if (count === 1 && from === own) return;
    this.note({ kind: "identity", id, from, count });
  }

  /** A step does what may reach anything of the host, as nobody can tell from the steps. */
  reachesAll(): void {
    if (!this.container.mounts.atHostRoot) return;
    this.note({ kind: "read", path: "/" });
    this.note({ kind: "write", path: "/" });
  }

  /**
   * A step writes to a file of /proc, which the recipe may have covered with files that lead
   * elsewhere.
   */
  writesProc(): void {
    if (!this.container.mounts.isHostRoot("/proc/self")) this.reachesAll();
  }
}
