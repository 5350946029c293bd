/**
 * The files by which root changes the machine, whatever its user namespace.
 *
 * @module
 */

import { isWithin, normalize } from "../../recipe/path.ts";
import type { HostAccess } from "./access.ts";

/** Which filesystems have such files; and what has to be guarded to keep root from them. */
const KERNEL_FILES: Readonly<Record<string, { path: string; guards: readonly string[] }>> = {
  proc: { path: "/proc/sys", guards: ["sys", "sysrq-trigger"] },
  sysfs: { path: "/sys", guards: [""] },
};

/** Where a filesystem is, and the step that has mounted it. */
export interface KernelMount {
  readonly target: string;
  readonly type: string;
  readonly step: string;
  readonly stepIndex: number;
}

/** Where the container has such files, and what is kept from being changed. */
export class KernelFiles {
  #mounts: KernelMount[] = [];
  /** How many user namespaces had been entered when a path was guarded. */
  readonly #guarded = new Map<string, number>();

  /** A filesystem is there that can be written to. */
  mounted(mount: KernelMount): void {
    if (KERNEL_FILES[mount.type] === undefined) return;
    this.#mounts.push({ ...mount, target: normalize(mount.target) });
  }

  /** A path is kept from being changed. */
  guard(path: string, userNamespaces: number): void {
    this.#guarded.set(normalize(path), userNamespaces);
  }

  /** A directory has become the root. */
  enter(directory: string): void {
    this.#mounts = this.#mounts.filter(({ target }) => isWithin(target, directory))
      .map((mount) => ({ ...mount, target: mount.target.slice(directory.length) || "/" }));
    this.#guarded.clear();
  }

  /**
   * What of them is not kept from root.
   *
   * @param holds whether what was kept from change then is still so
   */
  needs(holds: (userNamespaces: number) => boolean): readonly HostAccess[] {
    return this.#mounts.filter(({ target, type }) =>
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
}
