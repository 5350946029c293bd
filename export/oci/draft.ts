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
import { isWithin } from "../../recipe/path.ts";
import type { SeccompProfile } from "../../recipe/seccomp_profile.ts";
import type { Step } from "../../recipe/steps.ts";
import { type Caller, ContainerDraft } from "../container_draft.ts";
import type { Refusals } from "../refusals.ts";

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

/** The directory of the root in a bundle. */
export const ROOTFS = "rootfs";

/** What the steps have said so far. */
export class ConfigDraft extends ContainerDraft {
  /** Where the bundle will be, if that is known. */
  readonly bundle: string | undefined;
  /** The propagation of a new mount namespace. */
  propagation: string | undefined;
  uidMappings: readonly ConfigIdMapping[] | undefined;
  gidMappings: readonly ConfigIdMapping[] | undefined;
  readonly mounts: DraftMount[] = [];
  readonly devices: ConfigDevice[] = [];
  /** The paths that the recipe makes as every runtime does. */
  readonly usual = new Set<string>();
  /** The directories that have to be there, or to be made by the runtime, and their steps. */
  readonly directories: { readonly path: string; readonly step: Step; readonly at: number }[] = [];
  readonly files: BundleFile[] = [];
  readonly masked: string[] = [];
  readonly readonlyPaths: string[] = [];
  domainname: string | undefined;
  sysctl: Record<string, string> = {};
  timeOffsets: ConfigLinux["timeOffsets"];
  resources: ConfigResources | undefined;
  rlimits: ConfigRlimit[] = [];
  scheduler: ConfigProcess["scheduler"];
  ioPriority: ConfigProcess["ioPriority"];
  memoryPolicy: ConfigLinux["memoryPolicy"];
  personality: ConfigLinux["personality"];
  seccomp: SeccompProfile | undefined;

  constructor(caller: Caller, refusals: Refusals, bundle?: string) {
    super("config.json", caller, refusals);
    this.bundle = bundle;
  }

  /** Notes a directory that a runtime makes if something is mounted there. */
  noteDirectory(path: string): void {
    this.directories.push({ path, ...this.current });
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

  /** Refuses what is complete only at the end, or lacks. */
  finish(): void {
    for (const { path, step, at } of this.directories) {
      const isMade = [this.cwd ?? "/", ...this.mounts.map(({ destination }) => destination)]
        .some((made) => isWithin(made, path));
      if (!isMade) {
        this.refuseAt(
          step,
          at,
          `a runtime makes directories to mount on, and not ${path}: bind() a directory of the host`,
        );
      }
    }
    const { root, namespaces } = this;
    if (!namespaces.has("mount")) {
      this.refuseRecipe('a container of an engine has a mount namespace: unshare("mount")');
    }
    if (root === undefined) {
      this.refuseRecipe("a container of an engine has a root of its own: root(), pivotRoot()");
    }
    if (namespaces.has("user") && this.uidMappings === undefined) {
      this.refuseRecipe('unshare("user") needs mapRoot(), mapCurrentUser() or mapIds()');
    }
    if (!namespaces.has("user") && this.caller.uid !== 0) {
      this.refuseRecipe(
        `without unshare("user") it takes root to run it, and not the user ${this.caller.uid}`,
      );
    }
    if (this.environment === undefined) {
      this.refuseRecipe(
        "a container of an engine never has its caller's variables: clearEnv()",
      );
    }
    if (root?.directory === undefined && root?.readonly === false) {
      this.refuseRecipe(
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
      this.refuseRecipe(`an OCI runtime makes the usual devices at /dev: devices("/dev")`);
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
        cwd: this.cwd ?? "/",
        capabilities: identity.sets,
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
