/**
 * What the steps of a recipe reach for of the host, noted while they are planned.
 *
 * A draft with a gate opens every path of the host without following a symbolic link, by the path
 * that was resolved when the recipe was planned: what is granted is then what is opened, whatever
 * becomes of the path in between. Once the recipe has entered a root of its own, only what it has
 * bound is left to be reached, and that is noted already.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { MS_RDONLY } from "../../ffi/calls/mounts.ts";
import { bindLoopback, listen, tcpSocket } from "../../ffi/calls/sockets.ts";
import { setLink } from "../../ffi/netlink/link.ts";
import type { Draft } from "../drafting/draft.ts";
import { folderOf, HOST_ROOT, isWithin, nameOf, normalize } from "../drafting/ground.ts";
import { parseMountOptions } from "../drafting/mount_options.ts";
import type { NamespaceKind } from "../namespaces.ts";
import { inside } from "../networking/network.ts";
import type { IdRange } from "../steps/id_range.ts";
import type { Need, NeedKind } from "./need.ts";
import { type Place, resolve } from "./resolve.ts";

/** A need, with what it depends on that later steps decide. */
export interface Noted {
  readonly need: Need;
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
export type GatedNetwork = "loopback" | "proxy";

/** The port of the proxy, as it is usual for one. */
export const PROXY_PORT = 3128;

/** How many connections may wait to be taken. */
const BACKLOG = 128;

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

interface KernelMount {
  readonly target: string;
  readonly type: string;
  readonly step: string;
  readonly stepIndex: number;
}

/**
 * By which files root changes the machine, whatever its user namespace; and what has to be guarded
 * to keep it from that.
 */
const KERNEL_FILES: Readonly<Record<string, { path: string; guards: readonly string[] }>> = {
  proc: { path: "/proc/sys", guards: ["sys", "sysrq-trigger"] },
  sysfs: { path: "/sys", guards: [""] },
};

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
export class Gate {
  readonly noted: Noted[] = [];
  /** Whose root the program gets: the host's; a folder by chroot(2), which holds few in; its own. */
  root: "host" | "chroot" | "own" = "host";
  /** Where an init has stayed behind, which a program may get hold of. */
  init: InitPlace | undefined;
  /** Whether a step may make mounts writable that could only be read. */
  remounts = false;
  /** Variables that the steps take from the script's environment. */
  readonly variables: Set<string> = new Set();
  /** What a network of the container's own is to have. */
  readonly #network: GatedNetwork | undefined;
  /** Whether the host's root has an id in the user namespace. */
  mapsRoot = true;
  /** Filesystems by which root changes the machine, and where they are. */
  #kernelMounts: KernelMount[] = [];
  /** What a step keeps from being changed, and how many user namespaces had been entered. */
  readonly #guarded = new Map<string, number>();

  /** Notes what is reached for; and equips the container's network, where it has one. */
  constructor(network?: GatedNetwork) {
    this.#network = network;
  }

  /** Notes a need of the step that is writing. */
  note(draft: Draft, need: NeedKind, locksWith?: number): void {
    const { index } = draft;
    const whole: Need = { ...need, stepIndex: index, step: draft.stepName(index) };
    this.noted.push({ need: whole, ...(locksWith !== undefined && { locksWith }) });
  }

  /** A step hands a variable of the script's environment on. */
  handsOn(draft: Draft, variable: string): void {
    this.variables.add(variable);
    this.note(draft, { kind: "env", name: variable });
  }

  /** A step reads a path. */
  reads(draft: Draft, path: string): void {
    if (this.#isOther(draft, path)) return;
    this.note(draft, { kind: "read", path: this.#hostPlace(draft, path).path });
  }

  /** A step lays a folder below others. */
  lays(draft: Draft, path: string): void {
    if (this.#isOther(draft, path)) return;
    const { path: place } = this.#hostPlace(draft, path);
    this.note(draft, { kind: "read", path: place });
    if (touches(place, "/dev")) this.note(draft, { kind: "device", path: "/dev" });
    if (touches(place, "/proc")) this.note(draft, { kind: "namespace", namespace: "pid" });
  }

  /** A step makes or changes a path. */
  changes(draft: Draft, path: string): void {
    if (this.#isOther(draft, path)) return;
    this.note(draft, { kind: "write", path: this.#hostPlace(draft, path).path });
  }

  /** A step shows a path in the container, unless it is missing and may be. */
  shows(
    draft: Draft,
    path: string,
    { readOnly, noDevices, optional }: Showing,
  ): "shown" | "missing" {
    if (this.#isOther(draft, path)) return "shown";
    const { path: place, type } = this.#hostPlace(draft, path);
    if (type === undefined && optional === true) return "missing";
    if (!HARMLESS.includes(place)) {
      this.note(draft, { kind: "read", path: place });
      // Who may open a socket or a pipe speaks with what is behind it, on a read-only mount too.
      const locks = readOnly === true && type !== "socket" && type !== "pipe";
      this.note(
        draft,
        { kind: "write", path: place },
        locks ? draft.powers.userNamespaces : undefined,
      );
      if (noDevices !== true && (type === "device" || touches(place, "/dev"))) {
        this.note(draft, { kind: "device", path: type === "device" ? place : "/dev" });
      }
    }
    if (touches(place, "/proc")) this.note(draft, { kind: "namespace", namespace: "pid" });
    return "shown";
  }

  /** A step mounts a new filesystem. */
  mounts(draft: Draft, { source, target, type, options }: Mounting): void {
    const kernel = KERNEL_FILES[type];
    const readOnly = (parseMountOptions(options).flags & MS_RDONLY) !== 0;
    if (kernel !== undefined && !readOnly) {
      const { index: stepIndex } = draft;
      this.#kernelMounts.push({
        target: normalize(target),
        type,
        step: draft.stepName(stepIndex),
        stepIndex,
      });
    }
    if (HARMLESS_TYPES.has(type)) return;
    // What it lays over one another is in its options, and the kernel follows links there.
    if (type === "overlay") return this.reachesAll(draft);
    if (type === "cgroup" || type === "cgroup2") {
      if (!draft.own.has("cgroup")) this.note(draft, { kind: "namespace", namespace: "cgroup" });
      return;
    }
    this.note(draft, { kind: "device", path: source });
  }

  /** A step gives a mount other options. */
  remountsWith(flags: number): void {
    if ((flags & MS_RDONLY) === 0) this.remounts = true;
  }

  /** A step keeps a path from being changed. */
  guards(draft: Draft, path: string): void {
    this.#guarded.set(normalize(path), draft.powers.userNamespaces);
  }

  /** A step makes a folder the root. */
  enters(draft: Draft, path: string, by: "pivotRoot" | "chroot"): void {
    const folder = normalize(path);
    if (folder === "/") return;
    const { ground } = draft;
    if (by === "chroot" || !ground.isMountPoint(folder)) this.shows(draft, path, {});
    // With pivot_root(2) the root of an init changes too.
    if (by === "chroot" && this.init !== undefined && this.root !== "own") {
      this.init.seesHost = true;
    }
    if (this.root === "host") this.root = by === "chroot" ? "chroot" : "own";
    this.#kernelMounts = this.#kernelMounts.filter(({ target }) => isWithin(target, folder))
      .map((mount) => ({ ...mount, target: mount.target.slice(folder.length) || "/" }));
    this.#guarded.clear();
  }

  /** The process goes on as the init, in the namespaces that the container has by now. */
  leavesInit(draft: Draft): void {
    this.init = {
      userNamespaces: draft.powers.userNamespaces,
      own: new Set(draft.own),
      seesHost: false,
    };
  }

  /** A step has made a mount namespace: an init stays in the one before. */
  entersMounts(): void {
    if (this.init !== undefined && this.root !== "own") this.init.seesHost = true;
  }

  /** A step has made a network for the container. */
  entersNetwork(draft: Draft): void {
    if (this.#network === undefined) return;
    inside(draft, (kernel) => kernel.request(setLink("lo", { up: true })));
    if (this.#network === "loopback") return;
    const socket = new ResultOf(draft.call(tcpSocket()), "proxy");
    draft.call(bindLoopback(socket, PROXY_PORT));
    draft.call(listen(socket, BACKLOG));
    draft.listener = socket;
  }

  /** A step changes the host's network. */
  changesNetwork(draft: Draft): void {
    this.note(draft, { kind: "net", host: "*" });
    this.note(draft, { kind: "privilege", privilege: "CAP_NET_ADMIN" });
  }

  /** A step becomes other ids. */
  becomes(
    draft: Draft,
    ids: { uid: number; gid: number; groups?: readonly number[] | undefined },
  ): void {
    if (draft.own.has("user")) return;
    this.#identify(draft, "uid", ids.uid, 1);
    for (const gid of [ids.gid, ...(ids.groups ?? [])]) this.#identify(draft, "gid", gid, 1);
  }

  /** A step maps ids into the first user namespace. */
  maps(draft: Draft, { uids, gids }: IdMaps): void {
    if (draft.powers.userNamespaces !== 1) return;
    this.mapsRoot = uids.some(({ outside }) => outside === 0);
    for (const { outside, count } of uids) this.#identify(draft, "uid", outside, count);
    for (const { outside, count } of gids) this.#identify(draft, "gid", outside, count);
  }

  #identify(draft: Draft, id: "uid" | "gid", from: number, count: number): void {
    const own = id === "uid" ? draft.caller.euid : draft.caller.egid;
    if (count === 1 && from === own) return;
    this.note(draft, { kind: "identity", id, from, count });
  }

  /**
   * The files by which root changes the machine, where they are not kept from it.
   *
   * @param holds whether what was kept from change then is still so
   */
  kernelFiles(holds: (userNamespaces: number) => boolean): readonly Need[] {
    return this.#kernelMounts.filter(({ target, type }) =>
      !KERNEL_FILES[type]!.guards.every((name) => {
        const guarded = this.#guarded.get(normalize(`${target}/${name}`));
        return guarded !== undefined && holds(guarded);
      })
    ).map(({ type, step, stepIndex }) => ({
      kind: "write",
      path: KERNEL_FILES[type]!.path,
      stepIndex,
      step,
    }));
  }

  /** A step does what may reach anything of the host, as nobody can tell from the steps. */
  reachesAll(draft: Draft): void {
    if (!draft.ground.atHostRoot) return;
    this.note(draft, { kind: "read", path: "/" });
    this.note(draft, { kind: "write", path: "/" });
  }

  /**
   * A step writes to a file of /proc, which the recipe may have covered with files that lead
   * elsewhere.
   */
  writesProc(draft: Draft): void {
    if (!draft.ground.isHostRoot("/proc/self")) this.reachesAll(draft);
  }

  /**
   * The path by which to open, without following links: `undefined` once the recipe is in a root of
   * its own, where links lead to nothing else.
   *
   * @param path begins with `/`
   */
  placeOf(draft: Draft, path: string): string | undefined {
    return draft.ground.atHostRoot ? this.#placeOf(draft, path).path : undefined;
  }

  /** A source as a path from the root: one from the working directory is the script's. */
  sourceOf(draft: Draft, source: string): string | undefined {
    if (source.startsWith("/")) return source;
    const moved = ["chdir", "chroot", "join"].some((step) => draft.standsBehind(step));
    return moved || !draft.ground.atHostRoot ? undefined : `${Deno.cwd()}/${source}`;
  }

  /** Whether the path is none of the host's that has not been noted before. */
  #isOther(draft: Draft, path: string): boolean {
    return !draft.ground.atHostRoot || !(climbs(path) || draft.ground.mayBeHosts(path));
  }

  #hostPlace(draft: Draft, path: string): Place {
    const place = this.#placeOf(draft, path);
    if (place.path.startsWith("/")) return place;
    return draft.refuse(`${path} is ${place.path}, which has no path of its own`);
  }

  #placeOf(draft: Draft, path: string): Place {
    const { ground } = draft;
    const mount = ground.mountOf(path);
    if (mount === HOST_ROOT || climbs(path)) return resolve(path);
    const normal = normalize(path);
    if (normal !== mount.target) {
      return below(this.#placeOf(draft, mount.target), mount.target, normal);
    }
    const folder = folderOf(normal);
    if (ground.mountOf(folder) === HOST_ROOT) return resolve(path);
    const { path: place } = this.#placeOf(draft, folder);
    return {
      path: place === "/" ? `/${nameOf(normal)}` : `${place}/${nameOf(normal)}`,
      type: undefined,
    };
  }
}

/** Whether there is a `..` in it, by which it may leave the mount that it seems to lie on. */
function climbs(path: string): boolean {
  return path.split("/").includes("..");
}

function below(place: Place, folder: string, path: string): Place {
  const rest = path.slice(folder === "/" ? 0 : folder.length);
  return { path: (place.path === "/" ? "" : place.path) + rest, type: undefined };
}

/** Whether one lies in the other. */
function touches(path: string, other: string): boolean {
  return isWithin(path, other) || isWithin(other, path);
}
