/**
 * Whose files a path names, told from the steps alone: the recipe's, where one of its steps has
 * mounted a filesystem of its own there, or the host's, bound into the container or not.
 *
 * @module
 */

import { isWithin, normalize } from "../recipe/path.ts";

/** A mount, as the steps tell of it. */
export interface PlannedMount {
  /** Where it is. */
  readonly target: string;
  /** Whether it is a filesystem of the recipe's own. */
  readonly own: boolean;
  /** Whether it is there in any case. */
  readonly certain: boolean;
}

/** The root of the host, with all that the host has mounted below it. */
export const HOST_ROOT: PlannedMount = { target: "/", own: false, certain: true };

/** The mounts that the steps have made so far. */
export class MountTable {
  /** In the order in which they were made. */
  #mounts: readonly PlannedMount[] = [HOST_ROOT];

  /**
   * A step has mounted something here: a filesystem of its own, or files of the host. It may depend
   * on the host whether it has.
   */
  mounted(target: string, own: boolean, certain = true): void {
    this.#mounts = [...this.#mounts, { target: normalize(target), own, certain }];
  }

  /** The topmost mount here is gone. */
  unmounted(target: string): void {
    const at = this.#mounts.findLastIndex((mount) => mount.target === normalize(target));
    if (at > 0) this.#mounts = this.#mounts.toSpliced(at, 1);
  }

  /** Whether a step of the recipe has mounted anything that is in sight. */
  get hasMounts(): boolean {
    return this.#mounts.length > 1;
  }

  /** Whether a step of the recipe has mounted something exactly here. */
  isMountPoint(target: string): boolean {
    const path = normalize(target);
    return this.#visible().some((mount) =>
      mount !== this.#mounts[0] && mount.certain && mount.target === path
    );
  }

  /** Whether the path is known to be there: a mount point of the recipe's, or above one. */
  isThere(path: string): boolean {
    const directory = normalize(path);
    return this.#visible().some(({ target, certain }) => certain && isWithin(target, directory));
  }

  /** Whether the path lies on a filesystem that the recipe has made. */
  isContainerMount(path: string): boolean {
    return this.mountOf(path).own;
  }

  /** The mount that the path lies on: of the deepest, the one mounted last. */
  mountOf(path: string): PlannedMount {
    return this.#mountOf(path, this.#visible());
  }

  #mountOf(path: string, mounts: readonly PlannedMount[]): PlannedMount {
    const normal = normalize(path);
    return mounts
      .filter(({ target }) => isWithin(normal, target))
      .reduce((best, mount) => mount.target.length >= best.target.length ? mount : best);
  }

  /** Whether paths still begin at the root of the host. */
  get atHostRoot(): boolean {
    return this.#mounts[0] === HOST_ROOT;
  }

  /** Whether the path lies on what the host itself has at that place. */
  isHostRoot(path: string): boolean {
    return this.mountOf(path) === HOST_ROOT;
  }

  /** Whether it may do so: the mounts are left out that need not be there. */
  mayBeHosts(path: string): boolean {
    return this.#mountOf(path, this.#visible().filter(({ certain }) => certain)) === HOST_ROOT;
  }

  /** The root has become this directory. */
  enter(root: string): void {
    const directory = normalize(root);
    if (directory === "/") return;
    const { own } = this.mountOf(directory);
    const inside = this.#visible()
      .filter(({ target }) => target !== directory && isWithin(target, directory))
      .map((mount) => ({ ...mount, target: mount.target.slice(directory.length) }));
    this.#mounts = [{ ...HOST_ROOT, own }, ...inside];
  }

  /** The container is among mounts that others have made. */
  leave(): void {
    this.#mounts = [HOST_ROOT];
  }

  /** The mounts that no later one covers with the directory that they lie in. */
  #visible(): readonly PlannedMount[] {
    return this.#mounts.filter(({ target }, index) =>
      !this.#mounts.slice(index + 1).some((later) =>
        later.target !== target && isWithin(target, later.target)
      )
    );
  }
}
