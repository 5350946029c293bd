/**
 * The files of procfs and sysfs by which the host's root can change the machine, also from another
 * user namespace.
 *
 * @module
 */

import { isWithin, normalize } from "../../recipe/path.ts";
import { touches } from "../mount_table.ts";
import type { HostAccess } from "./access.ts";

/** The filesystems with such files, and the paths in them that have to be read-only, where they are. */
const KERNEL_FILES: Readonly<Record<string, { path: string; guards: readonly string[] }>> = {
  proc: {
    path: "/proc",
    guards: [
      ...["sys", "sysrq-trigger", "acpi", "asound", "bus", "driver", "dynamic_debug", "fs", "irq"],
      ...["latency_stats", "mtrr", "pressure", "scsi"],
    ],
  },
  sysfs: { path: "/sys", guards: [""] },
};

/** A mount of such a filesystem, and the step that makes it. */
export interface KernelMount {
  readonly target: string;
  readonly type: string;
  readonly step: string;
  readonly stepIndex: number;
  /** Whether its files can be reached by another path than that of the mount. */
  readonly copied?: boolean;
  /** Whether it is mounted on a file of the host, at the path that was resolved. */
  readonly onHost?: boolean;
  /** If the whole mount is read-only, the number of user namespaces that had been entered before. */
  readonly readOnlyIn?: number;
}

/** The mounts with such files, and the paths that are read-only. */
export class KernelFiles {
  #mounts: KernelMount[] = [];
  /** For each read-only path, the number of user namespaces that had been entered before. */
  readonly #guarded = new Map<string, number>();

  /** Returns files that go on from these. */
  fork(): KernelFiles {
    const files = new KernelFiles();
    files.#mounts = [...this.#mounts];
    for (const [path, userNamespaces] of this.#guarded) files.#guarded.set(path, userNamespaces);
    return files;
  }

  /** Adds a mount. */
  mounted(mount: KernelMount): void {
    if (KERNEL_FILES[mount.type] === undefined) return;
    this.#mounts.push({ ...mount, target: normalize(mount.target) });
  }

  /** Notes that a path is read-only. */
  guard(path: string, userNamespaces: number): void {
    this.#guarded.set(normalize(path), userNamespaces);
  }

  /** Notes that something is mounted at a path: it covers what was read-only there. */
  cover(path: string): void {
    for (const guarded of this.#guarded.keys()) {
      if (isWithin(guarded, path)) this.#guarded.delete(guarded);
    }
  }

  /** Notes that the mounts at a path, or all of them, can be reached by other paths as well. */
  copied(path?: string): void {
    this.#mounts = this.#mounts.map((mount) =>
      path === undefined || touches(path, mount.target) ? { ...mount, copied: true } : mount
    );
  }

  /** Makes a directory the root, which is not known if links lead to it. */
  enter(directory: string | undefined): void {
    this.#mounts = this.#mounts.flatMap((mount): KernelMount[] => {
      const { target, onHost, copied } = mount;
      if (directory === undefined) return [{ ...mount, copied: true }];
      if (isWithin(target, directory)) {
        return [{ ...mount, target: target.slice(directory.length) || "/" }];
      }
      // By a link of the recipe's, or by propagation, it may be in the new root all the same.
      return onHost === true && copied !== true ? [] : [{ ...mount, copied: true }];
    });
    this.#guarded.clear();
  }

  /**
   * Returns an access for each mount that root can still change: the path, or that of the filesystem
   * if there are several.
   *
   * @param holds whether a path is still read-only that was made so in this user namespace
   * @param exists whether the host has a file with such a path
   */
  needs(
    holds: (userNamespaces: number) => boolean,
    exists: (path: string) => boolean,
  ): readonly HostAccess[] {
    return this.#mounts.flatMap(({ target, type, copied, readOnlyIn, step, stepIndex }) => {
      if (readOnlyIn !== undefined && holds(readOnlyIn)) return [];
      const { path, guards } = KERNEL_FILES[type]!;
      const isOpen = (name: string) => {
        const guarded = this.#guarded.get(normalize(`${target}/${name}`));
        return copied || guarded === undefined || !holds(guarded);
      };
      const open = guards.map((name) => [name, normalize(`${path}/${name}`)] as const)
        .filter(([name, path]) => isOpen(name) && exists(path));
      if (open.length === 0) return [];
      // Who grants one of the files does not mean the others.
      return [{ kind: "write", path: open.length === 1 ? open[0]![1] : path, stepIndex, step }];
    });
  }
}
