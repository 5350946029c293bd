/**
 * A config.json that is being written, and what it has to know of the steps so far.
 *
 * @module
 */

import { DEVICES, LINKS } from "../../oci/config/devices.ts";
import type {
  Config,
  ConfigDevice,
  ConfigIdMapping,
  ConfigLinux,
  ConfigMount,
  ConfigProcess,
  ConfigResources,
  ConfigRlimit,
} from "../../oci/spec.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import type { SeccompProfile } from "../../recipe/seccomp_profile.ts";
import type { Step } from "../../recipe/steps.ts";
import type { Refusals } from "../refusals.ts";
import { ProgramIdentity } from "./identity.ts";

/** The names of namespaces in config.json. */
export const TYPE_OF: Readonly<Record<NamespaceKind, string>> = {
  cgroup: "cgroup",
  ipc: "ipc",
  mount: "mount",
  net: "network",
  pid: "pid",
  time: "time",
  user: "user",
  uts: "uts",
};

/** A file of a bundle, beside config.json. */
export interface BundleFile {
  /** The path in the bundle, such as `"rootfs/etc/hosts"`. */
  readonly path: string;
  /** What it is. */
  readonly type: "directory" | "file" | "symlink";
  /** The text of a file, or what a link points to. */
  readonly text?: string;
  /** The mode of a directory or a file. */
  readonly mode?: number;
}

/** A mount whose options may still change. */
export interface DraftMount extends ConfigMount {
  options: string[];
}

/** The root of the container, as far as a step has said what it is. */
export interface DraftRoot {
  /** A directory of the host, or `undefined` for the one in the bundle. */
  readonly directory: string | undefined;
  /** Where the root is until it is entered. */
  readonly place: string;
  entered: boolean;
  readonly: boolean;
}

/** Who will run the container. */
export interface Caller {
  /** The user's id. */
  readonly uid: number;
  /** The id of the group. */
  readonly gid: number;
}

/** The directory of the root in a bundle. */
export const ROOTFS = "rootfs";

/** What the steps have said so far. */
export class ConfigDraft {
  readonly caller: Caller;
  /** Where the bundle will be, if that is known. */
  readonly bundle: string | undefined;
  readonly namespaces = new Map<NamespaceKind, string | undefined>();
  /** The propagation of a new mount namespace. */
  propagation: string | undefined;
  uidMappings: readonly ConfigIdMapping[] | undefined;
  gidMappings: readonly ConfigIdMapping[] | undefined;
  readonly identity: ProgramIdentity;
  root: DraftRoot | undefined;
  readonly mounts: DraftMount[] = [];
  readonly devices: ConfigDevice[] = [];
  /** The paths that the recipe makes as every runtime does. */
  readonly usual = new Set<string>();
  /** The directories that have to be there, or to be made by the runtime, and their steps. */
  readonly directories: { readonly path: string; readonly step: Step; readonly at: number }[] = [];
  readonly files: BundleFile[] = [];
  readonly masked: string[] = [];
  readonly readonlyPaths: string[] = [];
  hostname: string | undefined;
  domainname: string | undefined;
  sysctl: Record<string, string> = {};
  timeOffsets: ConfigLinux["timeOffsets"];
  resources: ConfigResources | undefined;
  environment: Map<string, string> | undefined;
  cwd = "/";
  /** That of every caller, unless a step says otherwise. */
  umask = 0o022;
  rlimits: ConfigRlimit[] = [];
  oomScoreAdj: number | undefined;
  scheduler: ConfigProcess["scheduler"];
  ioPriority: ConfigProcess["ioPriority"];
  memoryPolicy: ConfigLinux["memoryPolicy"];
  personality: ConfigLinux["personality"];
  noNewPrivileges = false;
  seccomp: SeccompProfile | undefined;
  readonly #refusals: Refusals;
  #step: Step | undefined;
  #at = 0;

  constructor(caller: Caller, refusals: Refusals, bundle?: string) {
    this.caller = caller;
    this.bundle = bundle;
    this.identity = new ProgramIdentity(caller.uid, caller.gid);
    this.#refusals = refusals;
  }

  /** Begins with a step, which refusals are about from now on. */
  begin(step: Step, at: number): void {
    this.#step = step;
    this.#at = at;
  }

  /** Refuses the step. */
  refuse(why: string): void {
    this.#refusals.step(this.#step!, this.#at, why);
  }

  /** Refuses the step if the container has no namespace of the kind. */
  needs(kind: NamespaceKind): void {
    if (!this.namespaces.has(kind)) this.refuse(`it needs unshare("${kind}") before it`);
  }

  /** Notes a directory that a runtime makes if something is mounted there. */
  noteDirectory(path: string): void {
    this.directories.push({ path, step: this.#step!, at: this.#at });
  }

  /**
   * Returns where a path of the recipe is in the container, or refuses one that is left with the
   * old root.
   */
  inside(path: string): string | undefined {
    const { root } = this;
    const normal = normalize(path);
    if (root?.entered === true) return normal;
    if (root !== undefined && isWithin(normal, root.place)) {
      return normalize(normal.slice(root.place.length));
    }
    this.refuse(
      root === undefined
        ? `${path} is of the host, as no root() or pivotRoot() follows`
        : `${path} is outside of ${root.place}, which becomes the root`,
    );
    return undefined;
  }

  /** Returns the path of a file of the host, or refuses one that the recipe has made. */
  source(path: string): string | undefined {
    const { root } = this;
    const normal = path.startsWith("/") ? normalize(path) : path;
    if (root?.entered !== true && (root === undefined || !isWithin(normal, root.place))) {
      return normal;
    }
    // A directory that is mounted on itself has the same files as before, but for further mounts.
    const isItself = root?.entered === false && root.directory !== undefined &&
      normalize(root.directory) === root.place;
    if (isItself) {
      const inside = normalize(normal.slice(root.place.length));
      const isSame = !this.isMounted(inside) &&
        !this.mounts.some(({ destination }) => isWithin(destination, inside));
      if (isSame) return normal;
    }
    this.refuse(`the source ${path} is a file of the container, and config.json has the host's`);
    return undefined;
  }

  /** Adds a mount. */
  mount(mount: DraftMount): void {
    const { destination } = mount;
    const late = [...this.masked, ...this.readonlyPaths].find((path) =>
      isWithin(path, destination) || isWithin(destination, path)
    );
    if (late !== undefined) {
      this.refuse(`a runtime mounts first, and covers ${late} then; move maskPaths() behind it`);
    }
    this.mounts.push(mount);
  }

  /** Returns the last mount at a path of the container. */
  mountAt(path: string): DraftMount | undefined {
    return this.mounts.findLast(({ destination }) => destination === path);
  }

  /** Whether a path of the container lies on something that is mounted. */
  isMounted(path: string): boolean {
    return this.mounts.some(({ destination }) => isWithin(path, destination));
  }

  /** Refuses what is complete only at the end, or lacks. */
  finish(): void {
    for (const { path, step, at } of this.directories) {
      const isMade = [this.cwd, ...this.mounts.map(({ destination }) => destination)]
        .some((made) => isWithin(made, path));
      if (!isMade) {
        this.#refusals.step(
          step,
          at,
          `a runtime makes directories to mount on, and not ${path}: bind() a directory of the host`,
        );
      }
    }
    const { root, namespaces } = this;
    if (!namespaces.has("mount")) {
      this.#refusals.recipe('a container of an engine has a mount namespace: unshare("mount")');
    }
    if (root === undefined) {
      this.#refusals.recipe("a container of an engine has a root of its own: root(), pivotRoot()");
    }
    if (namespaces.has("user") && this.uidMappings === undefined) {
      this.#refusals.recipe('unshare("user") needs mapRoot(), mapCurrentUser() or mapIds()');
    }
    if (!namespaces.has("user") && this.caller.uid !== 0) {
      this.#refusals.recipe(
        `without unshare("user") it takes root to run it, and not the user ${this.caller.uid}`,
      );
    }
    if (this.environment === undefined) {
      this.#refusals.recipe(
        "a container of an engine never has its caller's variables: clearEnv()",
      );
    }
    if (root?.directory === undefined && root?.readonly === false) {
      this.#refusals.recipe(
        "the root is a tmpfs, and would be a directory of the bundle, in which changes stay: add " +
          'remount("/", "ro") behind pivotRoot(), with a tmpfs() where the program writes',
      );
    }
    this.#requireDevices();
  }

  /** Refuses a recipe without what every runtime makes in /dev. */
  #requireDevices(): void {
    const dev = this.mountAt("/dev");
    if (dev?.type === "bind") return;
    const made = [...DEVICES.map(({ path }) => path), ...Object.keys(LINKS)];
    if (dev === undefined || made.some((path) => !this.usual.has(path))) {
      this.#refusals.recipe(`an OCI runtime makes the usual devices at /dev: devices("/dev")`);
    }
  }

  /** Returns the file that the bundle has at a path of the container. */
  fileAt(path: string): BundleFile | undefined {
    return this.files.find((file) => file.path === ROOTFS + path);
  }

  /** Puts a file into the root of the bundle, in the place of one that is there. */
  putFile(path: string, file: Omit<BundleFile, "path">): void {
    const at = this.files.findIndex((other) => other.path === ROOTFS + path);
    const put = { path: ROOTFS + path, ...file };
    if (at === -1) this.files.push(put);
    else this.files[at] = put;
  }

  /** Returns the files beside config.json, with the directory that becomes the root. */
  bundleFiles(): readonly BundleFile[] {
    if (this.root?.directory !== undefined) return this.files;
    return [{ path: ROOTFS, type: "directory", mode: 0o755 }, ...this.files];
  }

  /** Returns the config.json. */
  config(args: readonly string[], terminal: boolean): Config {
    const { identity, sysctl, root } = this;
    const { groups } = identity;
    const namespaces = Array.from(this.namespaces, ([kind, path]) => ({
      type: TYPE_OF[kind],
      ...(path !== undefined && { path }),
    }));
    return {
      ociVersion: this.#version(),
      process: {
        terminal,
        user: {
          uid: identity.uid,
          gid: identity.gid,
          umask: this.umask,
          ...(groups !== undefined && groups.length > 0 && { additionalGids: groups }),
        },
        args,
        env: Array.from(this.environment ?? [], ([name, value]) => `${name}=${value}`),
        cwd: this.cwd,
        capabilities: identity.capabilities,
        ...(this.rlimits.length > 0 && { rlimits: this.rlimits }),
        noNewPrivileges: this.noNewPrivileges,
        ...(this.oomScoreAdj !== undefined && { oomScoreAdj: this.oomScoreAdj }),
        ...(this.scheduler && { scheduler: this.scheduler }),
        ...(this.ioPriority && { ioPriority: this.ioPriority }),
      },
      root: { path: root?.directory ?? ROOTFS, readonly: root?.readonly === true },
      ...(this.hostname !== undefined && { hostname: this.hostname }),
      ...(this.domainname !== undefined && { domainname: this.domainname }),
      mounts: this.mounts,
      linux: {
        namespaces,
        ...(this.uidMappings !== undefined && { uidMappings: this.uidMappings }),
        ...(this.gidMappings !== undefined && { gidMappings: this.gidMappings }),
        ...(this.timeOffsets !== undefined && { timeOffsets: this.timeOffsets }),
        ...(this.devices.length > 0 && { devices: this.devices }),
        ...(this.resources !== undefined && { resources: this.resources }),
        ...(Object.keys(sysctl).length > 0 && { sysctl }),
        ...(this.seccomp !== undefined && { seccomp: this.seccomp }),
        ...(this.memoryPolicy && { memoryPolicy: this.memoryPolicy }),
        ...(this.personality && { personality: this.personality }),
        ...(this.propagation !== undefined && { rootfsPropagation: this.propagation }),
        ...(this.masked.length > 0 && { maskedPaths: this.masked }),
        ...(this.readonlyPaths.length > 0 && { readonlyPaths: this.readonlyPaths }),
      },
    };
  }

  /** The first version of the specification that has what is said. */
  #version(): string {
    if (this.memoryPolicy) return "1.3.0";
    const { domainname, scheduler, ioPriority } = this;
    const isNew = domainname !== undefined || scheduler || ioPriority ||
      this.namespaces.has("time");
    return isNew ? "1.1.0" : "1.0.2";
  }
}
